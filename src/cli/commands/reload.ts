/** `sluice reload`: makes a running sluice read its configuration again. */
import type { ReloadAnswer } from '../../protocol/admin/answers.ts';
import { AdminClient } from '../admin-client.ts';
import type { CommandOptions } from '../arguments.ts';

/**
 * Prints the result of the reload.
 *
 * @returns 0 if the new configuration is in use, 1 if the old one stayed
 * @throws ConfigError if not even the admin address can be read, StartError if nobody answers
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
