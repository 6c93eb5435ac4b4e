/** Clients that ask once over TLS, and may resume the session of an earlier visit. */
import { connect } from 'node:tls';
import { within } from '../deadline.ts';

export interface Visit {
  /** Whether the client and the server have resumed the session that was offered. */
  readonly isResumed: boolean;
  /** The server's session for resumption. */
  readonly session: Buffer;
}

export interface VisitOptions {
  /** The session to resume. */
  readonly session?: Buffer;
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
}

/** Visits `HOST:PORT`: a handshake, a request, its whole answer. */
export function visit(address: string, { session, version }: VisitOptions = {}): Promise<Visit> {
  const [host, port] = address.split(':');
  return within(
    'a visit',
    new Promise((settle, fail) => {
      let ticket: Buffer | undefined;
      const socket = connect({
        host,
        port: Number(port),
        servername: 'localhost',
        rejectUnauthorized: false,
        ...(version !== undefined && { minVersion: version, maxVersion: version }),
        ...(session !== undefined && { session }),
      });
      socket.on('session', (given) => (ticket = given));
      socket.once('secureConnect', () => {
        const isResumed = socket.isSessionReused();
        socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        socket.once('data', () => {
          // The tickets of TLS 1.3 arrived before the answer. TLS 1.2 may give no new one.
          const last = ticket ?? socket.getSession();
          socket.destroy();
          if (last === undefined) fail(new Error('the server has given no session'));
          else settle({ isResumed, session: last });
        });
      });
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('closed without an answer')));
    }),
  );
}

/**
 * Lets clients come, each with a full handshake, and then all of them again.
 *
 * @param atOnce how many visit at the same time
 * @returns how many of them have resumed their session
 */
export async function comeAgain(address: string, clients: number, atOnce: number): Promise<number> {
  const first = await inTurns(clients, atOnce, () => visit(address));
  const second = await inTurns(clients, atOnce, (client) =>
    visit(address, { session: first[client]!.session }),
  );
  return second.filter(({ isResumed }) => isResumed).length;
}

async function inTurns<T>(count: number, atOnce: number, run: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      results[index] = await run(index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, turn));
  return results;
}
