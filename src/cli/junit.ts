// How do build servers read the results? JUnit XML, the part of it that all of them understand.
import type { CaseResult } from './run-policy-test.ts';

/** The results as a JUnit document. */
export function toJunit(results: readonly CaseResult[]): string {
  const suites = [...Map.groupBy(results, ({ test }) => test)];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites.flatMap(([name, cases]) => [
      `  <testsuite name="${escape(name)}" tests="${cases.length}" failures="${cases.filter(isFailed).length}" time="${toSeconds(cases)}">`,
      ...cases.map(toCase),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function toCase(result: CaseResult): string {
  const head = `    <testcase classname="${escape(result.test)}" name="${escape(result.name)}" time="${toSeconds([result])}"`;
  if (!isFailed(result)) return `${head}/>`;
  const [first = '', ...rest] = result.differences;
  return `${head}><failure message="${escape(first)}">${escape(rest.join('\n'))}</failure></testcase>`;
}

function isFailed({ differences }: CaseResult): boolean {
  return differences.length > 0;
}

function toSeconds(cases: readonly CaseResult[]): string {
  return (cases.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(3);
}

// XML 1.0 §2.2 has no characters for most controls, not even escaped ones.
function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
