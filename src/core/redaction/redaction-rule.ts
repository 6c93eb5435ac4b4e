/** Redaction rules, which select the parts of a message to hide. */
import { ExpressionError, LinearExpression } from '../linear-expression.ts';
import { parseJsonPath, type PathSegment } from './json-path.ts';
import { JsonPathError } from './path-filter.ts';

/** Max rules of a tap, or of the configuration. */
export const MAX_RULES = 64;
/** Max characters of a rule. */
const MAX_RULE_CHARACTERS = 1024;

type RedactionRule =
  | { readonly kind: 'path'; readonly segments: readonly PathSegment[] }
  | { readonly kind: 'expression'; readonly expression: LinearExpression };

/** An invalid rule, and the remedy. The message never contains the rule. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}

/** An expression between slashes. `i` makes it case-insensitive. */
const EXPRESSION = /^\/([^]+)\/(i?)$/;

/**
 * Parses a rule: a JSON path such as `$..password`, or an expression between slashes such as `/\d{16}/`. A
 * trailing `i` makes an expression case-insensitive.
 *
 * @throws RuleError
 */
export function parseRedactionRule(text: string): RedactionRule {
  if (text.length > MAX_RULE_CHARACTERS) {
    throw new RuleError(`${text.length} characters exceed the max of ${MAX_RULE_CHARACTERS}: split it`);
  }
  try {
    if (text.startsWith('$')) return { kind: 'path', segments: parseJsonPath(text) };
    const [, source, flag = ''] = EXPRESSION.exec(text) ?? [];
    if (source === undefined) {
      throw new RuleError('write a JSON path such as $..password, or an expression such as /[0-9]{16}/');
    }
    const expression = new LinearExpression(flag === '' ? source : `(?i)${source}`);
    if (expression.test('')) {
      throw new RuleError(
        'the expression matches the empty text, and so everywhere: require at least one character',
      );
    }
    return { kind: 'expression', expression };
  } catch (error) {
    if (error instanceof JsonPathError) throw new RuleError(`invalid JSON path: ${error.message}`);
    if (error instanceof ExpressionError) throw new RuleError(`invalid expression: ${error.message}`);
    throw error;
  }
}
