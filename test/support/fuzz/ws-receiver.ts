/** The receiver of the `ws` package, as a reference for other frame readers. The package's types omit it. */
import * as ws from 'ws';

interface ReceiverOptions {
  readonly isServer: boolean;
  readonly maxPayload: number;
  /** Relays leave the validity of text to the receiver of the message. */
  readonly skipUTF8Validation: boolean;
}

interface WsReceiver {
  /** The callee of `write`. A stream would report an error in a later turn of the loop. */
  _write(bytes: Buffer, encoding: string, callback: (error?: Error | null) => void): void;
}

const { Receiver } = ws as unknown as { readonly Receiver: new (options: ReceiverOptions) => WsReceiver };

/** Returns the words of the fault that ws finds in frames; null if it finds none. */
export function faultOfWs(bytes: Buffer, isServer: boolean, maxPayload: number): string | null {
  const receiver = new Receiver({ isServer, maxPayload, skipUTF8Validation: true });
  let fault: string | null = null;
  receiver._write(bytes, 'buffer', (error) => {
    fault ??= error?.message ?? null;
  });
  return fault;
}
