/** One thing whose time is measured. */
export interface MicroCase {
  readonly name: string;
  readonly run: () => unknown;
}
