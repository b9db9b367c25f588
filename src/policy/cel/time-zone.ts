// Which hour, day or year is it somewhere? Timestamp getters, independent of the process's own time zone.
// The library's getters use local time and are wrong around daylight saving changes.
import { celError } from './errors.ts';
import { charge } from './meter.ts';

// Intl needs tens of microseconds for a zone it does not know yet.
const TIME_ZONE_COST = 100;
const MAX_ZONES = 64;
const OFFSET = /^([+-]?)([01]?\d|2[0-3]):([0-5]\d)$/;
const zones = new Map<string, Intl.DateTimeFormat>();

/** Getter name → part of a date whose UTC fields hold the wanted zone's local time. */
export const TIME_GETTERS: Readonly<Record<string, (local: Date) => number>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) => dayOfYear(local),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** Shifts a timestamp so that its UTC fields are the zone's local time; zone is an IANA name or `±hh:mm`. */
export function toLocal(date: Date, zone: string): Date {
  charge(TIME_ZONE_COST);
  const offset = OFFSET.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(date.getTime() + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of formatter(zone).formatToParts(date)) part[type] = Number(value);
  const { year = 0, month = 1, day, hour, minute, second } = part;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour ?? 0, minute, second, date.getUTCMilliseconds());
  return local;
}

function formatter(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const made = createFormatter(zone);
  const [oldest] = zones.keys();
  if (zones.size >= MAX_ZONES && oldest !== undefined) zones.delete(oldest);
  zones.set(zone, made);
  return made;
}

function createFormatter(timeZone: string): Intl.DateTimeFormat {
  const numeric = 'numeric';
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
  } catch {
    throw celError('invalid_time_zone');
  }
}

function dayOfYear(local: Date): number {
  const start = new Date(local);
  start.setUTCMonth(0, 1);
  return Math.round((local.getTime() - start.getTime()) / 86_400_000);
}
