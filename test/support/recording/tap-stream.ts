/** Readers of `POST /tap`, as programs use it. */
import assert from 'node:assert/strict';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TapRecord } from '../../../src/wire/recording/records.ts';
import { DEADLINE_MS, within } from '../deadline.ts';

export type RecordOf<Type extends TapRecord['type']> = Extract<TapRecord, { readonly type: Type }>;

/** The parameters of a tap. A list stands for a parameter that is repeated. */
export type TapParameters = Readonly<Record<string, string | readonly string[]>>;

/** Credentials of a tap request, beside its parameters. */
export interface TapCredentials {
  /** The token of the admin server; null for none. */
  readonly token: string | null;
}

/**
 * Waits until all workers know the taps that have begun: a worker answers questions after earlier commands. A
 * session that opens earlier is found later, without its first frames.
 *
 * @param admin `host:port`
 */
export async function workersHeard(admin: string, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`http://${admin}/sessions?limit=1`, { headers });
  assert.equal(answer.status, 200, await answer.text());
}

/** A tap that the proxy has allowed. It keeps all records. */
export class TapStream {
  readonly records: TapRecord[] = [];
  /** All received bytes, unchanged. */
  raw = '';
  readonly #request: ClientRequest;
  readonly #ended: Promise<void>;
  readonly #watchers = new Set<() => void>();
  #over = false;
  #partialLine = '';

  private constructor(asked: ClientRequest, response: IncomingMessage) {
    this.#request = asked;
    response.setEncoding('utf8');
    response.on('data', (part: string) => this.#read(part));
    response.on('error', () => undefined);
    this.#ended = new Promise((settle) => {
      response.once('close', () => {
        this.#over = true;
        for (const watcher of [...this.#watchers]) watcher();
        settle();
      });
    });
  }

  /** Begins a tap, and waits for its header. Throws if the proxy refuses it. @param admin `host:port` */
  static async open(
    admin: string,
    parameters: TapParameters,
    credentials: TapCredentials,
  ): Promise<TapStream> {
    const { asked, response } = await ask(admin, parameters, credentials);
    if (response.statusCode !== 200)
      throw new Error(`the tap was answered ${response.statusCode ?? 0}: ${await text(response)}`);
    const stream = new TapStream(asked, response);
    await stream.next('tap', () => true);
    if (credentials.token !== null) await workersHeard(admin, credentials.token);
    return stream;
  }

  /** Returns all received records of a type. */
  of<Type extends TapRecord['type']>(type: Type): RecordOf<Type>[] {
    return this.records.filter((record): record is RecordOf<Type> => record.type === type);
  }

  /** Finds the first record of a type that a condition holds for; waits for it if it has not come. */
  async next<Type extends TapRecord['type']>(
    type: Type,
    condition: (record: RecordOf<Type>) => boolean = () => true,
    deadlineMs = DEADLINE_MS,
  ): Promise<RecordOf<Type>> {
    let from = 0;
    let watcher = (): void => undefined;
    const found = new Promise<RecordOf<Type>>((settle, fail) => {
      watcher = () => {
        while (from < this.records.length) {
          const record = this.records[from++]!;
          if (record.type === type && condition(record as RecordOf<Type>)) settle(record as RecordOf<Type>);
        }
        if (this.#over) fail(new Error(`the tap ended before the record: ${this.raw.slice(-2000)}`));
      };
      this.#watchers.add(watcher);
      watcher();
    });
    try {
      return await within(`a record ${type}`, found, deadlineMs);
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  /** Resolves when the proxy has ended the tap, or the connection is gone. */
  ended(): Promise<void> {
    return within('the end of the tap', this.#ended);
  }

  /** Cuts the connection, and waits for its end. */
  async close(): Promise<void> {
    this.#request.destroy();
    await this.ended();
  }

  #read(part: string): void {
    this.raw += part;
    const lines = (this.#partialLine + part).split('\n');
    this.#partialLine = lines.pop() ?? '';
    // An empty line says that the proxy is there.
    for (const line of lines) if (line !== '') this.records.push(JSON.parse(line) as TapRecord);
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Asks for a tap that is refused. Returns the answer. @param admin `host:port` */
export async function refusedTap(
  admin: string,
  parameters: TapParameters,
  credentials: TapCredentials,
): Promise<{ readonly status: number; readonly body: string }> {
  const { asked, response } = await ask(admin, parameters, credentials);
  try {
    if (response.statusCode === 200) throw new Error('the tap was not refused');
    return { status: response.statusCode ?? 0, body: await text(response) };
  } finally {
    asked.destroy();
  }
}

async function ask(
  admin: string,
  parameters: TapParameters,
  { token }: TapCredentials,
): Promise<{ readonly asked: ClientRequest; readonly response: IncomingMessage }> {
  const query = new URLSearchParams(
    Object.entries(parameters).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    ),
  );
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const asked = request(`http://${admin}/tap?${query.toString()}`, { method: 'POST', agent: false, headers });
  const answered = new Promise<IncomingMessage>((settle, fail) => {
    asked.once('response', settle);
    asked.on('error', fail);
  });
  asked.end();
  return { asked, response: await within('the answer of the tap', answered) };
}
