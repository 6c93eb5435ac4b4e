import { randomBytes } from 'node:crypto';
import type { HealthCheck } from '../../config/types/cluster.ts';
import type { Address } from '../../core/address.ts';
import { FrameReader } from '../../wire/frames/frame-reader.ts';
import { MAX_MASKED_HEAD_BYTES, writeMaskedFrame } from '../../wire/frames/frame-writer.ts';
import { OPCODE_CLOSE, OPCODE_PING } from '../../wire/frames/opcodes.ts';
import { NO_EDITS } from '../../wire/http/header-edits.ts';
import { encodeUpgradeRequest } from '../../wire/http/request-encoding.ts';
import { ResponseHeadReader, SWITCHING_PROTOCOLS } from '../../wire/http/response-head.ts';
import { acceptKey } from '../../wire/upgrade/accept-key.ts';
import { checkUpgradeResponse } from '../../wire/upgrade/upgrade-response.ts';
import { probeHost, type ProbeCheck, type ProbeEnd } from './probe-check.ts';

/** Close code 1000 (RFC 6455 section 7.4.1). */
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);

/**
 * Passes if the endpoint completes the opening handshake (RFC 6455 section 4) and answers a ping with a pong.
 */
export class WebSocketCheck implements ProbeCheck {
  readonly #check: HealthCheck;
  readonly #server: Address;
  readonly #key = randomBytes(16).toString('base64');
  readonly #head = new ResponseHeadReader(true);
  /** Null until the handshake completes. */
  #frames: FrameReader | null = null;

  constructor(check: HealthCheck, server: Address) {
    this.#check = check;
    this.#server = server;
  }

  connected(): Uint8Array {
    const { path, host } = this.#check;
    const headers = ['Host', probeHost(host, this.#server), 'User-Agent', 'sluice-probe'];
    const to = { target: path, host: null, forwarded: [], edits: NO_EDITS };
    return encodeUpgradeRequest({ method: 'GET', path, query: '', headers }, to, this.#key);
  }

  received(bytes: Buffer, probe: ProbeEnd): Uint8Array | null {
    if (this.#frames !== null) {
      this.#frames.read(bytes, 0, bytes.length);
      return null;
    }
    const head = this.#head.push(bytes, 0, bytes.length);
    if (head === 'incomplete') return null;
    if (typeof head === 'string') {
      probe.failed(head);
      return null;
    }
    if (head.status !== SWITCHING_PROTOCOLS) {
      probe.failed(`answered ${head.status}`);
      return null;
    }
    const answer = checkUpgradeResponse(head, acceptKey(this.#key), []);
    if (typeof answer === 'string') {
      probe.failed(answer);
      return null;
    }
    this.#frames = new ProbeFrames(probe);
    this.#frames.read(bytes, this.#head.headEnd, bytes.length);
    return frameOf(OPCODE_PING, Buffer.alloc(0));
  }
}

/** Encodes a control frame with a masking key of zeros. */
function frameOf(opcode: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(MAX_MASKED_HEAD_BYTES + payload.length);
  return frame.subarray(0, writeMaskedFrame(frame, 0, opcode, payload, 0));
}

/** Reads frames after the ping and ends the probe. */
class ProbeFrames extends FrameReader {
  readonly #probe: ProbeEnd;

  constructor(probe: ProbeEnd) {
    super();
    this.#probe = probe;
  }

  override framePong(): void {
    // Without a close frame, many endpoints log an error for each probe.
    this.#probe.passed(frameOf(OPCODE_CLOSE, NORMAL_CLOSURE));
  }

  override frameClose(code: number): void {
    this.#probe.failed(`closed the session with ${code}`);
  }

  override frameError(reason: string): void {
    this.#probe.failed(reason);
  }

  override frameMessage(): void {
    // Not the pong.
  }

  override frameFragment(): void {
    // Not the pong.
  }

  override framePing(): void {
    // Not the pong.
  }
}
