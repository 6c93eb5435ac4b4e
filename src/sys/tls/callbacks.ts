/**
 * Functions that OpenSSL calls during a handshake. Each thread has one of each, shared by its contexts. They
 * never throw: after an error there is no protocol, or no ticket.
 */
import { type PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCallback, type NativeCallback } from '../native-calls.ts';
import { NO_PROTOCOL, PROTOCOL_CHOSEN, TLS_1_3, openssl } from '../openssl.ts';
import type { TicketCipher } from './ticket-cipher.ts';

/** The parts of a context that the callbacks need. */
interface CallbackContext {
  readonly tickets: TicketCipher;
  /** Protocols in ALPN form (RFC 7301 section 3.1), in order of preference; null for none. */
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

const subjects = new Map<number, CallbackContext>();
let registered: Callbacks | null = null;

/**
 * Registers a context. Returns the callbacks' addresses. The caller must call {@link unregisterContext}
 * before it frees the context.
 */
export function registerContext(context: number, subject: CallbackContext): CallbackAddresses {
  registered ??= register();
  subjects.set(context, subject);
  return { protocol: registered.protocol.address, ticket: registered.ticket.address };
}

/** Unregisters a context. No connection may still use it. */
export function unregisterContext(context: number): void {
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
    // RFC 8446 appendix C.4: clients use a ticket once, so that observers cannot link their connections.
    return tickets.decrypt(name, iv, cipher, mac, versionOf(stream) === TLS_1_3);
  } catch {
    return -1;
  }
}
