/** Texts of the reference of the configuration. A running proxy does not load them. */

/** Words about a key that the schema cannot know. The reference of the configuration is made from them. */
export interface KeyText {
  /** Effect of the key, in one or more sentences. */
  readonly text: string;
  /** Replaces the type and range that the format describes. */
  readonly type?: string;
  /** Replaces the default that the schema has, or the word "required". */
  readonly default?: string;
  /** Replaces the engines that the schema names. */
  readonly engines?: string;
}

/** By the path of the key, without the indexes of lists. A text alone stands for `{ text }`. */
export type KeyTexts = Readonly<Record<string, string | KeyText>>;
