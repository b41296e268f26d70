import { CargoError } from '../errors.ts'
import { parsePerPage, searchTerms } from './api.ts'
import { quote } from './text.ts'

/** In which order crates are listed; those that are equal in it by name. */
export const CRATE_ORDERS = [
  ...(['relevance', 'alpha', 'downloads', 'recent-downloads', 'recent-updates', 'new'] as const),
] as const
export type CrateOrder = (typeof CRATE_ORDERS)[number]

/** In which order keywords and categories are listed. */
const TAG_ORDERS = ['alpha', 'crates'] as const
export type TagOrder = (typeof TAG_ORDERS)[number]

/** A part of a list. */
export interface Page {
  readonly perPage: number
  /** From 1 on. */
  readonly page: number
}

/** Which crates are asked for; all of it must fit. */
export interface CratesQuery extends Page {
  /** All must occur, each in the name, the description or a keyword. No terms: every crate. */
  readonly terms: readonly string[]
  /** Absent: `relevance` with terms, `alpha` without. */
  readonly sort?: CrateOrder
  /** What the name begins with. */
  readonly letter?: string
  readonly keyword?: string
  /** The slug of a category; those below it count. */
  readonly category?: string
  /** One of these names, in any spelling. */
  readonly ids?: readonly string[]
}

/**
 * Reads `?q=…&sort=…&letter=…&keyword=…&category=…&ids[]=…&page=…&per_page=…`.
 * @throws {CargoError} `invalid_request` naming what cannot be read
 */
export function parseCratesQuery(query: URLSearchParams): CratesQuery {
  const [sort, letter, ids] = [query.get('sort'), query.get('letter'), query.getAll('ids[]')]
  const [keyword, category] = [query.get('keyword'), query.get('category')]
  return {
    ...parsePage(query),
    terms: searchTerms(query.get('q') ?? ''),
    ...(sort !== null && { sort: oneOf('sort', sort, CRATE_ORDERS) }),
    ...(letter !== null && { letter: parseLetter(letter) }),
    ...(keyword !== null && { keyword }),
    ...(category !== null && { category }),
    ...(ids.length > 0 && { ids }),
  }
}

/**
 * Reads `?page=2&per_page=50`.
 * @throws {CargoError} `invalid_request` naming what is no number
 */
export function parsePage(query: URLSearchParams): Page {
  return {
    perPage: parsePerPage(query.get('per_page') ?? undefined),
    page: parsePageNumber(query.get('page')),
  }
}

/** @throws {CargoError} `invalid_request` for anything but a number from 1 to 999999 */
export function parsePageNumber(text: string | null): number {
  if (text === null) return 1
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new CargoError('invalid_request', `invalid page ${quote(text)}: must be a number from 1 to 999999`)
}

/** @throws {CargoError} `invalid_request` for another order than `alpha` and `crates` */
export function parseTagOrder(query: URLSearchParams): TagOrder {
  return oneOf('sort', query.get('sort') ?? 'alpha', TAG_ORDERS)
}

/** The items of a page. */
export function pageOf<T>(items: readonly T[], { perPage, page }: Page): readonly T[] {
  return items.slice((page - 1) * perPage, page * perPage)
}

function parseLetter(letter: string): string {
  if (/^[A-Za-z]$/.test(letter)) return letter
  throw new CargoError('invalid_request', `invalid letter ${quote(letter)}: must be one of a to z`)
}

function oneOf<T extends string>(key: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value)
  if (found !== undefined) return found
  throw new CargoError(
    'invalid_request',
    `invalid ${key} ${quote(value)}: must be one of ${allowed.map((one) => `\`${one}\``).join(', ')}`,
  )
}
