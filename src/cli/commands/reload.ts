/** `sluice reload`: makes a running sluice read its configuration anew. */
import { AdminClient } from '../admin-client.ts';
import type { CommandOptions } from '../arguments.ts';

/**
 * Prints how it went.
 *
 * @returns 0 where the new configuration is in use, 1 where the old one stayed
 * @throws ConfigError where not even the admin address can be read, StartError where nobody answers
 */
export async function run(options: CommandOptions): Promise<number> {
  const { body } = await new AdminClient(options).post('/reload');
  const result = JSON.parse(body) as { generation: number; problem: string | null; needsRestart: string[] };
  if (result.problem !== null) {
    process.stderr.write(`${result.problem}\nnot reloaded: generation ${result.generation} stays\n`);
    return 1;
  }
  process.stdout.write(`reloaded: generation ${result.generation}\n`);
  for (const setting of result.needsRestart) {
    process.stdout.write(`${setting} has changed: restart to bring it into force\n`);
  }
  return 0;
}
