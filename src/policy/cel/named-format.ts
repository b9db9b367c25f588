// Does a text have the form that Kubernetes gives a name? The named formats of its format library, with what is wrong.
import { parseTimestamp } from './time.ts';
import { succeeds } from './succeeds.ts';
import { parseUrl } from './url.ts';

/** A format: `check` says what is wrong with a text, nothing when it is fine. */
export class NamedFormat {
  readonly name: string;
  readonly check: (text: string) => readonly string[];

  constructor(name: string, check: (text: string) => readonly string[]) {
    this.name = name;
    this.check = check;
  }
}

interface Rule {
  readonly pattern: RegExp;
  readonly most: number;
  readonly wrong: string;
}

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const DNS_1123_LABEL: Rule = {
  pattern: new RegExp(`^${LABEL}$`),
  most: 63,
  wrong: 'must consist of lower case letters, digits and -, and begin and end with a letter or digit',
};
const DNS_1123_SUBDOMAIN: Rule = {
  pattern: new RegExp(`^${LABEL}(?:\\.${LABEL})*$`),
  most: 253,
  wrong: 'must consist of DNS labels joined by dots',
};
const DNS_1035_LABEL: Rule = {
  pattern: /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
  most: 63,
  wrong:
    'must consist of lower case letters, digits and -, begin with a letter and end with a letter or digit',
};
const QUALIFIED_NAME: Rule = {
  pattern: /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/,
  most: 63,
  wrong: 'must consist of letters, digits, -, _ and ., and begin and end with a letter or digit',
};
const LABEL_VALUE: Rule = { ...QUALIFIED_NAME, pattern: /^(?:(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/ };

function checkRule(text: string, { pattern, most, wrong }: Rule): string[] {
  const faults = text.length > most ? [`must be no more than ${most} characters`] : [];
  // Longer texts are wrong already, and short ones are matched at once.
  if (text.length <= most && !pattern.test(text)) faults.push(wrong);
  return faults;
}

// A generated name gets letters after its prefix, so a dash at its end is not the end.
function checkPrefix(text: string, rule: Rule): string[] {
  return checkRule(text.endsWith('-') ? `${text.slice(0, -1)}a` : text, rule);
}

function checkQualifiedName(text: string): string[] {
  const parts = text.split('/');
  const [prefix = '', name] = parts;
  if (parts.length > 2) return ['must be a name with an optional prefix and a slash'];
  if (name === undefined) return checkRule(prefix, QUALIFIED_NAME);
  return [...checkRule(prefix, DNS_1123_SUBDOMAIN), ...checkRule(name, QUALIFIED_NAME)];
}

function checkPattern(text: string, pattern: RegExp, wrong: string): string[] {
  return pattern.test(text) ? [] : [wrong];
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && succeeds(() => parseTimestamp(`${text}T00:00:00Z`));
}

const UUID = /^[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

const CHECKS: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label: (text) => checkRule(text, DNS_1123_LABEL),
  dns1123Subdomain: (text) => checkRule(text, DNS_1123_SUBDOMAIN),
  dns1035Label: (text) => checkRule(text, DNS_1035_LABEL),
  qualifiedName: checkQualifiedName,
  dns1123LabelPrefix: (text) => checkPrefix(text, DNS_1123_LABEL),
  dns1123SubdomainPrefix: (text) => checkPrefix(text, DNS_1123_SUBDOMAIN),
  dns1035LabelPrefix: (text) => checkPrefix(text, DNS_1035_LABEL),
  labelValue: (text) => checkRule(text, LABEL_VALUE),
  uri: (text) => (succeeds(() => parseUrl(text)) ? [] : ['not an absolute URL']),
  uuid: (text) => checkPattern(text, UUID, 'does not match the UUID format'),
  byte: (text) => checkPattern(text, BASE64, 'invalid base64'),
  date: (text) => (isDate(text) ? [] : ['invalid date']),
  datetime: (text) => (succeeds(() => parseTimestamp(text)) ? [] : ['invalid datetime']),
};

/** Every format by its name. */
export const NAMED_FORMATS: ReadonlyMap<string, NamedFormat> = new Map(
  Object.entries(CHECKS).map(([name, check]) => [name, new NamedFormat(name, check)]),
);
