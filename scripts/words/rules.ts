/** Habits that slow a reader down, each with its remedy. */
export interface WordRule {
  readonly pattern: RegExp;
  readonly remedy: string;
}

/**
 * Max words of a sentence. A code span counts as one word. The source of a fact in parentheses does not
 * count.
 */
export const MAX_SENTENCE_WORDS = 25;

const START = String.raw`(?:^|(?<=[.:;!?] ))`;

export const WORD_RULES: readonly WordRule[] = [
  rule(String.raw`\bso many\b`, 'write "max", "up to" or the number'),
  rule(String.raw`\bas many as may be\b`, 'write "the limit is reached" or the number'),
  rule(String.raw`\bwhat there is\b`, 'name the things'),
  rule(String.raw`\banew\b`, 'write "again"'),
  rule(String.raw`\b(?:like|by|than|as|with|in|from|for|to|is|are|was) th(?:at|ose) of\b`, 'repeat the noun'),
  rule(String.raw`\bthe ones? (?:that|which|who|before|behind|in)\b`, 'repeat the noun'),
  rule(
    String.raw`\bof (?:its|our|their|his|my|your|whose) own\b`,
    'write "its own …", "a separate …" or "custom"',
  ),
  rule(String.raw`${START}to be \w+ed\b`, 'write "must be …" or "Call this when …"'),
  rule(String.raw`\b(?:any|some|every|no)thing else than\b`, 'write "anything other than"'),
  rule(String.raw`\bwhat else\b`, 'name the rest'),
  rule(String.raw`\b(?:there is|if) no such\b|\bsuch (?:a|an|one)\b`, 'name the thing'),
  rule(
    String.raw`\b(?:hear|hears|heard) of\b|${START}hears\b`,
    'write "receives", "is notified of", "called when"',
  ),
  rule(
    String.raw`\b(?:tell|tells|told) (?:of|whether|what|how|which|who|when|where|why)\b`,
    'write "reports", "returns", "says"',
  ),
  rule(String.raw`\b(?:let|lets|letting) (?:\w+ )?in\b(?! \w+ing)`, 'write "admit", "accept" or "allow"'),
  rule(
    String.raw`\b(?:give|gives|given|gave) back\b|\bgives? \w+ back\b`,
    'write "return", "release" or "free"',
  ),
  rule(String.raw`\bunder way\b`, 'write "in progress", "in flight" or "open"'),
  rule(String.raw`\bin good order\b`, 'write "cleanly" or "gracefully"'),
  rule(
    String.raw`\b(?:of|behind|beside|by|for|from|with|to|under|after) (?:which|whom)\b`,
    'split the sentence',
  ),
  rule(
    String.raw`${START}what (?:is|are|was|has|have|had|must|can|may|it|they|a|an|the|of|one|belongs|comes|follows|stands)\b(?![^.]*\?)`,
    'begin with a noun',
  ),
  rule(String.raw`\bwho(?:ever|msoever)\b|\bwhatsoever\b`, 'name the party'),
  rule(
    String.raw`\b(?:thereby|hereby|thereof|wherein|whereby|hitherto|henceforth|thereupon)\b`,
    'say it plainly',
  ),
  rule(String.raw`\bin (?:so|as) far as\b`, 'write "if" or "as far as"'),
  rule(String.raw`\bis to be\b|\bare to be\b|\bhas to be\b|\bhave to be\b`, 'write "must be" or "is"'),
  rule(String.raw`\b(?:may|might|can) as well\b`, 'say what happens'),
  rule(String.raw`\bif need be\b|\bas the case may be\b`, 'write "if needed" or the condition'),
  rule(String.raw`\bin order to\b`, 'write "to"'),
  rule(String.raw`\bthe (?:latter|former)\b|\bthe same ones?\b`, 'repeat the noun'),
  rule(String.raw`(?:^|[,;:.] )else (?!if\b)`, 'write "otherwise"'),
  rule(
    String.raw`(?:^|[.] )Of (?:a|an|the|all|each|every|several|two|these|those)\b`,
    'begin with the subject',
  ),
  rule(
    String.raw`\b(?:nothing|anything|something|none|neither|more|much|enough) of (?:it|them|that)\b`,
    'name the thing',
  ),
  rule(String.raw`\b(?:has|have|had) (?:come|gone)\b`, 'write "arrived", "closed" or "left"'),
  rule(String.raw`\b(?:go|goes|going|went|gone) on\b`, 'write "continue" or "forwarded"'),
  rule(String.raw`\bstands? (?:in|at|behind|there|below|above|before|under)\b`, 'write "is" or "means"'),
  rule(String.raw`\butili[sz]e|\bleverage\b|\bvia the use of\b`, 'write "use"'),
];

function rule(source: string, remedy: string): WordRule {
  return { pattern: new RegExp(source, 'giu'), remedy };
}
