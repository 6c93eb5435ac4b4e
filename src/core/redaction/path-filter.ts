/**
 * Checks filters of JSON paths: refuses those that a sender could slow down, and runs the others' expressions
 * in RE2.
 */
import type * as P3 from 'json-p3';
import { ExpressionError, LinearExpression } from '../linear-expression.ts';

/** Max expressions of `match` and `search` in one path. */
const MAX_EXPRESSIONS = 8;

/** An invalid JSON path, and the remedy. The message never contains the path. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

type Package = typeof P3;
type Classes = Package['jsonpath'];
type Expression = InstanceType<Classes['expressions']['FilterExpression']>;
type Query = InstanceType<Classes['expressions']['FilterQuery']>;

/** Checks the filters of one path. */
export class FilterCheck {
  readonly #package: Package;
  /** Keyed by function name, a space, and source. */
  readonly #expressions = new Map<string, LinearExpression>();

  /** @param environment receives new versions of its functions `match` and `search` */
  constructor(json: Package, environment: P3.JSONPathEnvironment) {
    this.#package = json;
    const { ValueType, LogicalType } = json.FunctionExpressionType;
    for (const name of ['match', 'search']) {
      environment.functionRegister.set(name, {
        argTypes: [ValueType, ValueType],
        returnType: LogicalType,
        call: (text: unknown, source: unknown): boolean =>
          typeof text === 'string' && this.#expressions.get(`${name} ${String(source)}`)?.test(text) === true,
      });
    }
  }

  /**
   * Checks the expression of a filter.
   *
   * @throws JsonPathError if its cost would depend on more than the children of the tested value
   */
  check(expression: Expression): void {
    const { expressions } = this.#package.jsonpath;
    if (expression instanceof expressions.PrefixExpression) {
      this.check(expression.right);
    } else if (expression instanceof expressions.LogicalExpression) {
      this.check(expression.expression);
    } else if (expression instanceof expressions.InfixExpression) {
      if (!expression.logical && !this.#isScalar(expression.left) && !this.#isScalar(expression.right)) {
        throw new JsonPathError(
          'a filter compares two values of the message: compare one with a literal, as in ?@.kind == "card"',
        );
      }
      this.check(expression.left);
      this.check(expression.right);
    } else if (expression instanceof expressions.FunctionExtension) {
      if (expression.name === 'match' || expression.name === 'search') this.#compile(expression);
      for (const argument of expression.args) this.check(argument);
    } else if (expression instanceof expressions.FilterQuery) {
      this.#checkQuery(expression);
    }
  }

  /** Reports whether the expression's value compares in constant time. */
  #isScalar(expression: Expression): boolean {
    const { FilterExpressionLiteral, FunctionExtension } = this.#package.jsonpath.expressions;
    if (expression instanceof FunctionExtension) return expression.name !== 'value';
    return expression instanceof FilterExpressionLiteral;
  }

  #checkQuery(query: Query): void {
    const { jsonpath, TokenKind } = this.#package;
    const { NameSelector, IndexSelector } = jsonpath.selectors;
    const { segments } = query.path;
    let lists = 0;
    for (const { token, selectors } of segments) {
      const [selector] = selectors;
      const isSingle = selector instanceof NameSelector || selector instanceof IndexSelector;
      if (!isSingle) lists += 1;
      if (
        token.kind === TokenKind.DDOT ||
        selectors.length > 1 ||
        selector instanceof jsonpath.selectors.FilterSelector
      ) {
        throw new JsonPathError(
          'a query in a filter has "..", a filter or a list: write names, indexes or one "*"',
        );
      }
    }
    if (lists > (query instanceof jsonpath.expressions.RootQuery ? 0 : 1)) {
      throw new JsonPathError('a query in a filter has too many "*" or slices: write names and indexes');
    }
  }

  #compile({ name, args }: InstanceType<Classes['expressions']['FunctionExtension']>): void {
    const [, source] = args;
    if (!(source instanceof this.#package.jsonpath.expressions.StringLiteral)) {
      throw new JsonPathError(`the expression of ${name}() comes from the message: write it in quotes`);
    }
    if (this.#expressions.size >= MAX_EXPRESSIONS) {
      throw new JsonPathError(`more than ${MAX_EXPRESSIONS} expressions: split it over several rules`);
    }
    try {
      const whole = name === 'match' ? `^(?:${source.value})$` : source.value;
      this.#expressions.set(`${name} ${source.value}`, new LinearExpression(whole));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new JsonPathError(`invalid expression of ${name}(): ${error.message}`, {
        cause: error,
      });
    }
  }
}
