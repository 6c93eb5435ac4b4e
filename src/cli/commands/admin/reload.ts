/** `sluice reload`: makes a running sluice reload its configuration. */
import type { ReloadAnswer } from '../../../protocol/admin/answers.ts';
import { AdminClient } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';

/**
 * Prints the result of the reload.
 *
 * @returns 0 if the new configuration took effect, 1 if the old one stays
 * @throws ConfigError if the admin address cannot be read, StartError if the admin server does not answer
 */
export async function run(options: CommandOptions): Promise<number> {
  const answer = (await new AdminClient(options).post('/reload')) as ReloadAnswer;
  const { message, problem, needsRestart } = answer;
  if (problem !== null) {
    process.stderr.write(`${problem}\n${message}\n`);
    return 1;
  }
  process.stdout.write(`${message}\n`);
  for (const setting of needsRestart) {
    process.stdout.write(`${setting} has changed: restart to bring it into force\n`);
  }
  return 0;
}
