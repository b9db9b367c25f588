// Are the durations read that the API server writes?
import assert from 'node:assert/strict';
import { parseDurationMs } from '../../src/lib/duration.ts';

describe('parseDurationMs()', () => {
  const read: readonly (readonly [string, number])[] = [
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['500ms', 500],
    ['0s', 0],
    ['1.5s', 1500],
    ['1h0m0s', 3_600_000],
    ['1s1s', 2000],
  ];
  for (const [text, milliseconds] of read) {
    it(`reads ${text}`, () => assert.equal(parseDurationMs(text), milliseconds));
  }

  const refused = ['', 's', '10', '-1s', '+1s', '1s ', ' 1s', '1S', '1d', '.5s', '1.s', '1e3s', '１s', '1s1'];
  for (const text of [...refused, '9'.repeat(10) + 's', '1s'.repeat(17), '1'.repeat(100_000)]) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => assert.equal(parseDurationMs(text), undefined));
  }
});
