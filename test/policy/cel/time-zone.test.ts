// Is a time zone asked of Intl once, and are no more of them kept than the limit?
import assert from 'node:assert/strict';
import { createCelMeter, runMetered } from '../../../src/policy/cel/meter.ts';
import { toLocal } from '../../../src/policy/cel/time-zone.ts';

const WINTER = new Date('2026-01-01T00:00:00.250Z');
const MAX_ZONES = 64;

function local(zone: string): string {
  const result = runMetered(createCelMeter(), 0, () => toLocal(WINTER, zone));
  assert.ok(result.within);
  return result.value.toISOString();
}

describe('toLocal()', () => {
  const { DateTimeFormat } = Intl;
  let made: unknown[] = [];

  beforeEach(() => {
    made = [];
    Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
      construct(target, [locale, options]: [string, Intl.DateTimeFormatOptions]) {
        made.push(options.timeZone);
        return new target(locale, options);
      },
    });
  });
  afterEach(() => {
    Intl.DateTimeFormat = DateTimeFormat;
  });

  // Others, so that none of an earlier case is left.
  function askMany(from: number, count: number): readonly string[] {
    const zones = Intl.supportedValuesOf('timeZone').slice(from, from + count);
    assert.equal(zones.length, count);
    zones.forEach(local);
    return zones;
  }

  it('gives the time of a zone, also when it is asked again', () => {
    assert.equal(local('America/New_York'), '2025-12-31T19:00:00.250Z');
    assert.equal(local('America/New_York'), '2025-12-31T19:00:00.250Z');
    assert.equal(local('Asia/Tokyo'), '2026-01-01T09:00:00.250Z');
    assert.equal(local('-01:30'), '2025-12-31T22:30:00.250Z');
  });

  it('asks nobody about an offset, and takes one without a sign or with one digit', () => {
    assert.equal(local('+05:30'), '2026-01-01T05:30:00.250Z');
    assert.equal(local('5:30'), '2026-01-01T05:30:00.250Z');
    assert.deepEqual(made, []);
  });

  it('makes each of as many zones as are kept once', () => {
    const zones = askMany(0, MAX_ZONES);
    made = [];
    zones.forEach(local);
    assert.deepEqual(made, []);
  });

  it('gives up the oldest zone for one that is new, and no other', () => {
    const [oldest = '', ...zones] = askMany(100, MAX_ZONES + 1);
    made = [];
    zones.forEach(local);
    assert.deepEqual(made, []);
    local(oldest);
    assert.deepEqual(made, [oldest]);
  });

  it('keeps no text that is no zone', () => {
    const zones = askMany(200, MAX_ZONES);
    assert.throws(() => local('Nowhere/Land'), { code: 'invalid_time_zone' });
    made = [];
    zones.forEach(local);
    assert.deepEqual(made, []);
  });
});
