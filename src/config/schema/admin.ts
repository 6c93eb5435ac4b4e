/** Reads the key `admin`. */
import { MAX_RULES, RuleError, parseRedactionRule } from '../../core/redaction/redaction-rule.ts';
import type { Format } from '../syntax/formats.ts';
import { FormatError, describe, text } from '../syntax/formats.ts';
import { hostName } from '../syntax/host.ts';
import type { Problems } from '../syntax/problems.ts';
import { readValue } from '../syntax/section.ts';
import type { Config } from '../types/config.ts';
import type { Settings } from './settings.ts';

const ruleText = text('a rule');

/** A redaction rule. Stays text, because workers compile it. */
const redactionRule: Format<string> = (value) => {
  const rule = ruleText(value);
  try {
    parseRedactionRule(rule);
    return rule;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new FormatError(`${describe(rule)} is not a rule of redaction: ${error.message}`);
  }
};

/** Reads the key `admin`. Warns of a tap that nobody can use. */
export function readAdmin(settings: Settings, problems: Problems): Config['admin'] {
  const hosts = (settings.elements('admin.hosts') ?? []).map(({ value, path }) =>
    readValue(value, path, problems, hostName, ''),
  );
  const rules = settings.elements('admin.tapRedact') ?? [];
  if (rules.length > MAX_RULES) {
    problems.valueError(
      ['admin', 'tapRedact'],
      `the list has ${rules.length} rules, and ${MAX_RULES} are allowed: join expressions by "|"`,
    );
  }
  const tapRedact = rules
    .slice(0, MAX_RULES)
    .map(({ value, path }) => readValue(value, path, problems, redactionRule, ''));
  const admin = {
    address: settings.read('admin.address'),
    hosts,
    token: settings.read('admin.token'),
    tap: settings.read('admin.tap'),
    tapRedact,
  };
  if (admin.tap !== 'off' && admin.token === null) {
    problems.warning(
      ['admin', 'tap'],
      'no tap is possible without a token: set admin.token, or SLUICE_ADMIN_TOKEN in the environment',
    );
  }
  return admin;
}
