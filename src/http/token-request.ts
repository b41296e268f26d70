import { CargoError } from '../errors.ts'
import { ACTIONS, type Action, type IssuedToken, type TokenWish } from '../host.ts'
import { parseExpiry } from '../protocol/expiry.ts'
import { quote } from '../protocol/text.ts'

/** crates.io's words for what a token may do. */
const CRATES_IO: Readonly<Record<string, Action>> = { 'change-owners': 'owners', 'publish-update': 'publish' }

/**
 * The wish in a body of crates.io's shape, `{"api_token": {"name", "expired_at", "crate_scopes", "endpoint_scopes"}}`;
 * what is absent or null limits nothing.
 * @throws {CargoError} `invalid_request`
 */
export function parseTokenRequest(body: unknown, now: Date): TokenWish {
  const fields = mapOf(mapOf(body)?.['api_token'])
  if (fields === undefined || typeof fields['name'] !== 'string')
    throw new CargoError('invalid_request', 'invalid body: must be `{"api_token": {"name": "…"}}`')
  const expires = fields['expired_at'] ?? undefined
  if (expires !== undefined && typeof expires !== 'string')
    throw new CargoError(
      'invalid_request',
      'invalid `expired_at`: must be a time such as `2027-01-31T00:00:00Z`',
    )
  return wish({
    name: fields['name'],
    expires: expires && parseExpiry(expires, now),
    crates: strings(fields, 'crate_scopes'),
    actions: strings(fields, 'endpoint_scopes'),
  })
}

/**
 * The wish of a person, in a form.
 * @throws {CargoError} `invalid_request`
 */
export function parseTokenForm(form: URLSearchParams, now: Date): TokenWish {
  const crates = (form.get('crates') ?? '').split(/[\s,]+/).filter((crate) => crate !== '')
  const actions = form.getAll('action')
  const expires = form.get('expires') ?? ''
  return wish({
    name: (form.get('name') ?? '').trim(),
    expires: expires === '' ? undefined : parseExpiry(expires, now),
    crates: crates.length === 0 ? undefined : crates,
    actions: actions.length === 0 ? ['read'] : actions,
  })
}

/** A token in crates.io's shape. */
export function renderToken({ id, name, created, expires, crates, actions }: IssuedToken) {
  return {
    id,
    name,
    created_at: created,
    last_used_at: null,
    expired_at: expires ?? null,
    crate_scopes: crates ?? null,
    endpoint_scopes: actions ?? null,
  }
}

interface Wished {
  readonly name: string
  readonly expires: string | undefined
  readonly crates: readonly string[] | undefined
  readonly actions: readonly string[] | undefined
}

function wish({ name, expires, crates, actions }: Wished): TokenWish {
  return {
    name,
    ...(expires !== undefined && { expires }),
    ...(crates !== undefined && { crates }),
    ...(actions !== undefined && { actions: parseActions(actions) }),
  }
}

function parseActions(words: readonly string[]): readonly Action[] {
  // Whoever may publish may publish new crates too, but who only asked for new ones gets nothing beyond.
  const rest = words.includes('publish-update') ? words.filter((word) => word !== 'publish-new') : words
  return [...new Set(rest.map(parseAction))]
}

function parseAction(word: string): Action {
  const known = Object.hasOwn(CRATES_IO, word) ? CRATES_IO[word] : ACTIONS.find((action) => action === word)
  if (known !== undefined) return known
  throw new CargoError(
    'invalid_request',
    `invalid scope ${quote(word)}: must be one of ${ACTIONS.map((action) => `\`${action}\``).join(', ')}`,
  )
}

function strings(fields: Readonly<Record<string, unknown>>, name: string): readonly string[] | undefined {
  const list = fields[name] ?? undefined
  if (list === undefined) return undefined
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list
  throw new CargoError('invalid_request', `invalid \`${name}\`: must be a list of strings`)
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}
