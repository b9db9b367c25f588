// Is a log line one line of JSON with a time, whatever is logged?
import assert from 'node:assert/strict';
import { createLogger } from '../../src/telemetry/logger.ts';

describe('createLogger()', () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };

  beforeEach(() => void lines.splice(0));

  it('writes one line of JSON, times in ISO 8601', () => {
    createLogger('info', stream).info({ text: 'two\nlines \u2028' }, 'said');
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.indexOf('\n'), lines[0]?.length === undefined ? -2 : lines[0].length - 1);
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as { time: string };
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(rest, { level: 30, text: 'two\nlines \u2028', message: 'said' });
  });

  it('keeps silent when told to', () => {
    createLogger('silent', stream).error('x');
    assert.deepEqual(lines, []);
  });
});
