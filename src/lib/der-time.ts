// Which instant does this DER time name? UTCTime and GeneralizedTime in the one form that DER and their profiles
// allow; dates that do not exist are refused, not carried over.
import { DER_TAG, DerError, requireTag, type DerElement } from './der.ts';

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
// X.690 §11.7.3: a fraction has no trailing zero, and with no digits no point either.
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,30}[1-9]))?Z$/;

/** The validity of a certificate: UTCTime, or GeneralizedTime without a fraction (RFC 5280 §4.1.2.5). @throws DerError */
export function toCertificateTime(element: DerElement | undefined): Date {
  if (element?.tag !== DER_TAG.utcTime) {
    const time = toGeneralizedTime(element);
    if (time.getUTCMilliseconds() !== 0) throw new DerError('DER time of a certificate has a fraction');
    return time;
  }
  const match = UTC_TIME.exec(element.content.toString('latin1'));
  const year = Number(match?.[1] ?? Number.NaN);
  return toDate([year < 50 ? 2000 + year : 1900 + year, ...toNumbers(match?.slice(2))], 0);
}

/** A GeneralizedTime; of its fraction the milliseconds count, the rest is cut off (RFC 3161 §2.4.2). @throws DerError */
export function toGeneralizedTime(element: DerElement | undefined): Date {
  const { content } = requireTag(element, DER_TAG.generalizedTime);
  const match = GENERALIZED_TIME.exec(content.toString('latin1'));
  const milliseconds = Number((match?.[7] ?? '').slice(0, 3).padEnd(3, '0'));
  return toDate(toNumbers(match?.slice(1, 7)), milliseconds);
}

function toNumbers(parts: readonly string[] = []): readonly number[] {
  return parts.map(Number);
}

function toDate(parts: readonly number[], milliseconds: number): Date {
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds));
  // Date.UTC reads years below 100 as 19xx and carries 31 February into March: the date must say what was written.
  const written = parts.map((part) => String(part).padStart(2, '0')).join('');
  if (parts.length !== 6 || toDigits(date) !== written) throw new DerError('DER time names no instant');
  return date;
}

function toDigits(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
}
