/**
 * The functions that OpenSSL calls within a handshake. Each thread has one of each, however many contexts it has. They never
 * throw: a fault means no protocol, and no ticket.
 */
import { type PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCallback, type NativeCallback } from '../native-calls.ts';
import { NO_PROTOCOL, PROTOCOL_CHOSEN, TLS_1_3, openssl } from '../openssl.ts';
import type { TicketCipher } from './ticket-cipher.ts';

/** What the callbacks need of a context. */
interface CallbackSubject {
  readonly tickets: TicketCipher;
  /** The protocols in the form of ALPN (RFC 7301 section 3.1), the preferred first; null for none. */
  readonly protocols: PinnedBuffer | null;
}

interface CallbackAddresses {
  readonly protocol: number;
  readonly ticket: number;
}

interface Callbacks {
  readonly protocol: NativeCallback;
  readonly ticket: NativeCallback;
}

const subjects = new Map<number, CallbackSubject>();
let registered: Callbacks | null = null;

/** Makes the callbacks know a context. Returns their addresses. Whoever calls this calls {@link removeSubject} in the end. */
export function addSubject(context: number, subject: CallbackSubject): CallbackAddresses {
  registered ??= register();
  subjects.set(context, subject);
  return { protocol: registered.protocol.address, ticket: registered.ticket.address };
}

/** Forgets a context. No connection may use it any more. */
export function removeSubject(context: number): void {
  subjects.delete(context);
  if (subjects.size > 0) return;
  registered?.protocol.release();
  registered?.ticket.release();
  registered = null;
}

function register(): Callbacks {
  const address = 'uintptr_t';
  const protocol = nativeCallback(
    'int',
    [address, address, address, address, 'uint32_t', address],
    chooseProtocol,
  );
  try {
    const ticket = nativeCallback('int', [address, address, address, address, address, 'int'], prepareTicket);
    return { protocol, ticket };
  } catch (error) {
    protocol.release();
    throw error;
  }
}

/** Takes the arguments of `SSL_CTX_alpn_select_cb_func`. The last is the address of the context. */
function chooseProtocol(
  _stream: number,
  result: number,
  resultLength: number,
  client: number,
  clientLength: number,
  context: number,
): number {
  try {
    const protocols = subjects.get(context)?.protocols ?? null;
    if (protocols === null) return NO_PROTOCOL;
    const { length } = protocols.bytes;
    const server = addressWithin(protocols, 0, length);
    const chosen = openssl().chooseProtocol(result, resultLength, server, length, client, clientLength);
    return chosen === 1 ? PROTOCOL_CHOSEN : NO_PROTOCOL;
  } catch {
    return NO_PROTOCOL;
  }
}

/** Takes the arguments of the callback of `SSL_CTX_set_tlsext_ticket_key_evp_cb`. */
function prepareTicket(
  stream: number,
  name: number,
  iv: number,
  cipher: number,
  mac: number,
  isNew: number,
): number {
  try {
    const { contextOf, versionOf } = openssl();
    const tickets = subjects.get(contextOf(stream))?.tickets;
    if (tickets === undefined) return -1;
    if (isNew === 1) return tickets.encrypt(name, iv, cipher, mac);
    // RFC 8446 appendix C.4: a client uses a ticket once, so that nobody can tell that two connections are one client's.
    return tickets.decrypt(name, iv, cipher, mac, versionOf(stream) === TLS_1_3);
  } catch {
    return -1;
  }
}
