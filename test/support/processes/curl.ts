/** Requests by curl, which leaves the path as it is written. */
import assert from 'node:assert/strict';
import { runCommand } from './run-command.ts';

/** The response that curl printed. */
interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends a request to an address, with more arguments of curl. */
export async function askByCurl(address: string, path: string, args: readonly string[]): Promise<Answer> {
  const url = `http://${address}${path}`;
  const { status, stdout, stderr } = await runCommand('curl', ['-sS', '-i', '--path-as-is', ...args, url]);
  assert.deepEqual([status, stderr], [0, '']);
  const end = stdout.indexOf('\r\n\r\n');
  const [startLine = '', ...lines] = stdout.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
  });
  return {
    status: Number(startLine.split(' ')[1]),
    headers: new Map(headers),
    body: stdout.slice(end + 4),
  };
}
