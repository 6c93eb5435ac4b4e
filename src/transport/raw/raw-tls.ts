import type { ListenerTls } from '../../config/types/listener.ts';
import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { clearErrors } from '../../sys/tls/errors.ts';
import { ServerContext } from '../../sys/tls/server-context.ts';
import { CertificateChoice } from '../certificate-choice.ts';
import type { ClientTls } from '../client-transport.ts';
import { sessionIdContextOf } from '../session-id-context.ts';

/** TLS contexts of a listener, on system calls. */
export class RawTls implements ClientTls {
  readonly #contexts: ServerContext[] = [];
  readonly #choice: CertificateChoice<ServerContext>;

  /** @throws Error with OpenSSL's message if it rejects the settings */
  constructor(loop: EventLoop, listener: string, tls: ListenerTls, ticketKeys: TicketKeyRing) {
    const { minVersion, ciphers, groups, alpn, clientCertificates } = tls;
    const sessionIdContext = sessionIdContextOf(listener, clientCertificates);
    const settings = { minVersion, ciphers, groups, alpn, clientCertificates, ticketKeys, sessionIdContext };
    try {
      this.#choice = new CertificateChoice(tls.certificates, (certificates) => {
        const context = new ServerContext({ ...settings, certificates });
        this.#contexts.push(context);
        return context;
      });
    } catch (error) {
      this.close();
      throw error;
    }
    // Node uses the same error queue.
    loop.afterNode = clearErrors;
  }

  /** Returns the context for a server name. @param serverName in the form of `ClientHello` */
  contextOf(serverName: string | null): ServerContext {
    return this.#choice.of(serverName);
  }

  close(): void {
    for (const context of this.#contexts) context.close();
  }
}
