import { copyOfText } from '../../core/copy.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { requestFields, subprotocolField, type LoggedClient } from '../access-log/request-fields.ts';
import type { SessionEnd, SessionLog } from '../contract/relay.ts';

/** The route that a session came by, and the endpoint that it leads to. */
interface SessionPlace {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
}

/** Writes the access lines of one session. It keeps about 2.5 KiB of text at most. */
export class SessionLines implements SessionLog {
  readonly #access: Logger;
  readonly #fields: Readonly<Record<string, string | undefined>>;

  /** @param subprotocol the one that the endpoint chose, or an empty string */
  constructor(
    access: Logger,
    place: SessionPlace,
    head: RequestHead,
    client: LoggedClient,
    subprotocol: string,
  ) {
    this.#access = access;
    const {
      client: address,
      requestId,
      principal,
      certSubject,
      certFingerprint,
      ...sent
    } = requestFields(head, client);
    const { vpcEndpointId, host, path, origin, userAgent } = sent;
    this.#fields = {
      ...place,
      client: copyOfText(address),
      requestId: copyOfText(requestId),
      principal: copyOfText(principal),
      certSubject: copyOfText(certSubject),
      certFingerprint: copyOfText(certFingerprint),
      vpcEndpointId: copyOfText(vpcEndpointId),
      host: copyOfText(host),
      path: copyOfText(path),
      subprotocol: subprotocol === '' ? undefined : copyOfText(subprotocolField(subprotocol)),
      origin: copyOfText(origin),
      userAgent: copyOfText(userAgent),
    };
  }

  opened(): void {
    this.#access.info(this.#fields, 'session opened');
  }

  closed(end: SessionEnd): void {
    this.#access.info({ ...this.#fields, ...end }, 'session closed');
  }
}
