import { type Outcome, type Outcomes, ok, renderMs, skipped, wrong } from './doctor-outcome.ts'
import { ask, errorOf, jsonOf, type Reply } from './doctor-request.ts'
import { checkTls } from './doctor-tls.ts'
import { reasonOf } from './reason.ts'

/** Clocks further apart than this let tokens and rules about young versions go wrong. */
const MAX_SKEW_MS = 5_000
/** As cargo sends them over plain http (protocol.md 1.3); the other ones come with the connection. */
const H2C = {
  Connection: 'Upgrade, HTTP2-Settings',
  Upgrade: 'h2c',
  'HTTP2-Settings': 'AAMAAABkAAQAAQAAAAIAAAAA',
}
const CARGO = {
  'User-Agent': 'cargo/1.95.0 (f2d3ce0bd 2026-03-21)',
  'Accept-Encoding': 'deflate, gzip',
  'cargo-protocol': 'version=1',
  accept: 'text/plain',
}
/** Nobody's: an answer that has it believes whoever asks. */
const FOREIGN_HOST = 'doctor.invalid'

/** The registry as clients reach it. */
export interface UrlTarget {
  /** Mount included, without a final slash. */
  readonly base: string
  readonly token: string | undefined
  /** The largest `.crate` file that may be published, in bytes. */
  readonly maxCrate: number
  readonly now: () => Date
}

/** Whether clients find the registry at its URL, and what stands between them and it. */
export async function* checkUrl(target: UrlTarget): Outcomes {
  const { base, now } = target
  const url = new URL(base)
  if (url.protocol === 'https:') yield* checkTls(url, now)
  const asked = performance.now()
  const first = await ask(`${base}/config.json`, { headers: CARGO })
  yield ok(`${base}/ answers within ${renderMs(performance.now() - asked)}`)
  yield clockOutcome(first, now())
  const config = await withToken(target, `${base}/config.json`, first)
  yield configOutcome(config, base, target.token !== undefined)
  if (url.protocol === 'http:') yield await h2cOutcome(base, first)
  yield await forwardedOutcome(target, base, config)
  yield await bodyOutcome(base, target.maxCrate)
  yield await encodingOutcome(target)
}

/** Why there is nobody to ask; `undefined` when there is. */
export async function findUnreachable(base: string): Promise<Outcome | undefined> {
  try {
    await ask(`${base}/config.json`, { headOnly: true })
    return undefined
  } catch (error) {
    return wrong(
      `${base}/ cannot be reached from here: ${reasonOf(error)}`,
      'start the server, or correct `public_url`, or give the address with `--url`',
    )
  }
}

/** The answer for who has the token, where a login is wanted. */
async function withToken({ token }: UrlTarget, url: string, reply: Reply): Promise<Reply> {
  if (reply.status !== 401 || token === undefined) return reply
  return ask(url, { headers: { ...CARGO, Authorization: token } })
}

function clockOutcome({ headers: { date = '' } }: Reply, now: Date): Outcome {
  const skew = Date.parse(date) - now.getTime()
  if (Number.isNaN(skew))
    return wrong('its answers have no `Date`', 'let the proxy leave the header in place')
  // A `Date` is cut to the second.
  if (Math.abs(skew) < MAX_SKEW_MS) return ok('its clock agrees with the one here')
  return wrong(`its clock is ${Math.round(skew / 1000)} s off the one here`, 'let both be set by NTP')
}

function configOutcome(reply: Reply, base: string, hasToken: boolean): Outcome {
  const { status, headers } = reply
  if (status === 401 && errorOf(reply) !== undefined && !hasToken)
    return skipped('config.json needs a login: set VERDACCIO_CARGO_TOKEN to have it looked at')
  if (status === 401)
    return wrong(
      'the token of VERDACCIO_CARGO_TOKEN is not accepted',
      'give one that is, and let the proxy pass `Authorization` on',
    )
  if (status >= 300 && status < 400)
    return wrong(
      `config.json redirects to \`${headers.location}\``,
      'set `public_url` to where clients end up',
    )
  const { dl, api } = Object(jsonOf(reply))
  if (status !== 200 || typeof dl !== 'string' || typeof api !== 'string')
    return wrong(
      `config.json is answered with ${status} and something else than a registry's settings`,
      'let the proxy pass everything below the mount on as it is, or correct `public_url` and `cargo.mount`',
    )
  if (api === base && dl === `${base}/api/v1/crates`) return ok('config.json has this URL in `api` and `dl`')
  const which = api === base ? `dl\` is \`${dl}` : `api\` is \`${api}`
  return wrong(`in config.json, \`${which}\`, asked at \`${base}\``, remedyFor(api, base))
}

function remedyFor(api: string, base: string): string {
  const [is, wanted] = [URL.parse(api), new URL(base)]
  if (api.endsWith('/')) return 'no final slash: cargo would ask for `//api/v1/crates`'
  if (is === null || is.host !== wanted.host) return 'set `public_url` to the address that clients use'
  if (is.protocol !== wanted.protocol)
    return `set \`public_url: ${wanted.origin}\`: a proxy ends TLS, and the server cannot know`
  return 'let the proxy leave paths as they are, or set `public_url` and `cargo.mount` to those that clients use'
}

async function h2cOutcome(base: string, plain: Reply): Promise<Outcome> {
  const remedy =
    'let the proxy not pass `Upgrade` and `Connection` on, but for web sockets; in a server of your own use `passH2c()`'
  try {
    const { status, headers } = await ask(`${base}/config.json`, { headers: { ...CARGO, ...H2C } })
    if (status === 101 && headers.upgrade === 'h2c')
      return ok('`Upgrade: h2c`, which cargo sends, is taken: it gets HTTP/2 over plain http')
    if (status === plain.status) return ok("cargo's own headers, with `Upgrade: h2c`, are answered alike")
    return wrong(
      `\`Upgrade: h2c\`, which cargo sends, is answered with ${status} instead of ${plain.status}`,
      remedy,
    )
  } catch (error) {
    return wrong(`\`Upgrade: h2c\`, which cargo sends, breaks the connection: ${reasonOf(error)}`, remedy)
  }
}

async function forwardedOutcome(target: UrlTarget, base: string, { status, body }: Reply): Promise<Outcome> {
  const headers = {
    ...CARGO,
    'X-Forwarded-Host': FOREIGN_HOST,
    'X-Forwarded-Proto': 'gopher',
    Forwarded: `host=${FOREIGN_HOST}`,
  }
  const spoofed = await ask(`${base}/config.json`, {
    headers: { ...headers, ...(status === 200 && target.token && { Authorization: target.token }) },
  })
  if (spoofed.status === status && spoofed.body.equals(body))
    return ok('`X-Forwarded-*` of clients change nothing')
  return wrong(
    '`X-Forwarded-*` of a client change config.json',
    'set `public_url`, and let the proxy replace these headers',
  )
}

/** Without a token, so that nothing is stored; the body is announced and never sent. */
async function bodyOutcome(base: string, size: number): Promise<Outcome> {
  const what = `a publish of ${size} bytes`
  const reply = await ask(`${base}/api/v1/crates/new`, { method: 'PUT', announced: size }).catch(reasonOf)
  if (typeof reply === 'string') return wrong(`${what} breaks the connection: ${reply}`, bodyRemedy(size))
  if (reply.status === 100) return ok(`${what} is let in, by a proxy that takes it before it asks who`)
  if (reply.status === 413) return wrong(`${what} is refused with 413`, bodyRemedy(size))
  if ((reply.status === 401 || reply.status === 403) && errorOf(reply) !== undefined)
    return ok(`${what} without a token is refused with ${reply.status} before it is sent`)
  return wrong(
    `${what} without a token is answered with ${reply.status}, and not by the registry`,
    'let the proxy pass PUT and its answers on as they are',
  )
}

/** What makes a proxy take bodies of this size. */
export function bodyRemedy(size: number): string {
  return `let the proxy take bodies of ${size} bytes: nginx \`client_max_body_size\`, Apache \`LimitRequestBody\``
}

async function encodingOutcome(target: UrlTarget): Promise<Outcome> {
  const url = `${target.base}/api/v1/crates?per_page=1`
  const found = Object(jsonOf(await withToken(target, url, await ask(url)))).crates
  const { name, max_version } = Object(Array.isArray(found) ? found[0] : undefined)
  if (typeof name !== 'string' || typeof max_version !== 'string')
    return skipped('no `.crate` file to look at, `--write` publishes one')
  return plainCrateOutcome(`${target.base}/api/v1/crates/${name}/${max_version}/download`, target.token)
}

/** Cargo unpacks what is called packed, and then the checksum is wrong. */
export async function plainCrateOutcome(url: string, token: string | undefined): Promise<Outcome> {
  const headers = {
    'Accept-Encoding': 'deflate, gzip, br',
    ...(token !== undefined && { Authorization: token }),
  }
  const reply = await ask(url, { headers, headOnly: true })
  const encoding = reply.headers['content-encoding']
  if (reply.status !== 200)
    return wrong(
      `a \`.crate\` file is answered with ${reply.status}`,
      'look at the log of the server, and run `verify`',
    )
  if (encoding === undefined || encoding === 'identity') return ok('`.crate` files are sent as they are')
  return wrong(
    `\`.crate\` files are sent with \`Content-Encoding: ${encoding}\`: cargo unpacks them and finds the checksum wrong`,
    'let the proxy compress no `application/gzip`: nginx `gzip_types`',
  )
}
