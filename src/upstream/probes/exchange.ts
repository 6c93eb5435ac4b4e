/** What one kind of probe does on its connection. */
export interface ProbeExchange {
  /** The connection is there: what to send, or the end of the probe. */
  connected(probe: ProbeEnd): Uint8Array | null;
  received(bytes: Buffer, probe: ProbeEnd): Uint8Array | null;
}

/** How an exchange says that it is over; what it says later counts for nothing. */
export interface ProbeEnd {
  /** @param farewell what is sent yet before the connection is closed */
  passed(farewell?: Uint8Array): void;
  failed(reason: string): void;
}
