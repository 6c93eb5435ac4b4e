/** The methods of a uWebSockets.js HttpResponse that write a head. */
export interface HeadResponse {
  cork(callback: () => void): unknown;
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string | Uint8Array): unknown;
}

/** The methods of a uWebSockets.js HttpResponse that a reply uses. */
export interface UwsResponse extends HeadResponse {
  end(body: string | Uint8Array, closeConnection: boolean): unknown;
  endWithoutBody(): unknown;
  write(chunk: Uint8Array): boolean;
  tryEnd(chunk: Uint8Array, totalSize: number): [ok: boolean, done: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): unknown;
  onAborted(handler: () => void): unknown;
  close(): unknown;
}
