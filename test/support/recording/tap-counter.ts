/** A reader of taps that tell much: it counts records, and keeps none. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { LostRecord } from '../../../src/wire/recording/records.ts';
import { within } from '../deadline.ts';

/** Records that a tap received and lost. */
export interface TapCounts {
  sessions: number;
  frames: number;
  lostFrames: number;
  lostSessions: number;
  /** Records dropped because the reader was too slow. */
  lostLines: number;
  bytes: number;
}

export class TapCounter {
  readonly counts: TapCounts = {
    sessions: 0,
    frames: 0,
    lostFrames: 0,
    lostSessions: 0,
    lostLines: 0,
    bytes: 0,
  };
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  #partialLine = '';

  private constructor(asked: ClientRequest, response: IncomingMessage) {
    this.#request = asked;
    this.#response = response;
    response.setEncoding('latin1');
    response.on('error', () => undefined);
  }

  /**
   * Begins a tap.
   *
   * @param admin `host:port`
   * @param parameters of `POST /tap`, as a query
   * @param isReading whether anything behind the head is read
   */
  static async open(admin: string, parameters: string, token: string, isReading = true): Promise<TapCounter> {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request(`http://${admin}/tap?${parameters}`, { method: 'POST', agent: false, headers });
    const answered = new Promise<IncomingMessage>((settle, fail) => {
      asked.once('response', settle);
      asked.on('error', fail);
    });
    asked.end();
    const response = await within('the answer of the tap', answered);
    if (response.statusCode !== 200) throw new Error(`the tap was answered ${response.statusCode ?? 0}`);
    const counter = new TapCounter(asked, response);
    if (isReading) counter.read();
    return counter;
  }

  /** Reads everything from now on. */
  read(): void {
    this.#response.on('data', (part: string) => this.#count(part));
  }

  close(): void {
    this.#request.destroy();
  }

  #count(part: string): void {
    const { counts } = this;
    counts.bytes += part.length;
    const text = this.#partialLine + part;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      // The type comes first in each record.
      const type = text.slice(start, start + 16);
      if (type.startsWith('{"type":"frame"')) counts.frames++;
      else if (type.startsWith('{"type":"sessio')) counts.sessions++;
      else if (type.startsWith('{"type":"lost"'))
        this.#lose(JSON.parse(text.slice(start, end)) as LostRecord);
      start = end + 1;
    }
    this.#partialLine = text.slice(start);
  }

  #lose({ frames, sessions, lines }: LostRecord): void {
    this.counts.lostFrames += frames;
    this.counts.lostSessions += sessions;
    this.counts.lostLines += lines;
  }
}
