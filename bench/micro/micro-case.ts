/** An operation to time. */
export interface MicroCase {
  readonly name: string;
  readonly run: () => unknown;
}
