import { type Dispatcher, request } from 'undici'
import type { Connections } from './connections.ts'
import type { EgressGuard } from './egress.ts'
import type { Home } from './home.ts'
import { isBrokenConnection, toUplinkError, UplinkError } from './uplink-error.ts'

/** A registry that sends us farther than this sends us in circles. */
const MAX_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** A new connection costs more than to read so much, or to wait so long for it. */
const MAX_DUMPED = 16 * 1024
const DUMP_TIMEOUT = 1_000
/** Names us to the uplink's operators; an uplink's `headers` may replace it. */
export const USER_AGENT = 'verdaccio-cargo/0.1.0'

/** An answer whose body must be read or destroyed. */
export interface Answer {
  readonly status: number
  /** Who answered, after all redirects. */
  readonly url: URL
  readonly header: (name: string) => string | undefined
  readonly body: Dispatcher.ResponseData['body']
}

export interface AskSpec {
  readonly headers: Readonly<Record<string, string>>
  /** Ends the request, its redirects and its body. */
  readonly signal?: AbortSignal
}

/** GET requests to one uplink. */
export interface Exchange {
  /**
   * Asks for `url`, following a few redirects; the uplink's own headers go to its own origin only.
   * @throws {UplinkError} when there is no answer, or one that leads where it must not
   */
  ask(url: URL, spec: AskSpec): Promise<Answer>
}

export interface ExchangeDeps {
  readonly uplink: string
  readonly home: Home
  readonly guard: EgressGuard
  readonly connections: Connections
}

export function createExchange({ uplink, home, guard, connections }: ExchangeDeps): Exchange {
  async function send(url: URL, { headers, signal }: AskSpec): Promise<Answer> {
    const own = guard.isHome(url) ? home.headers : {}
    const answer = await request(url, {
      dispatcher: connections.dispatcherFor(url),
      headers: { 'user-agent': USER_AGENT, ...headers, ...own },
      signal: signal ?? null,
    })
    const header = (name: string) => oneValue(answer.headers[name])
    return { status: answer.statusCode, url, header, body: answer.body }
  }

  /** A connection that was idle may end just when it is used again: that says nothing about the uplink. */
  async function sendAgain(url: URL, spec: AskSpec): Promise<Answer> {
    try {
      return await send(url, spec)
    } catch (error) {
      if (!isBrokenConnection(error) || spec.signal?.aborted) throw error
      return send(url, spec)
    }
  }

  return {
    async ask(url, spec) {
      try {
        let target = url
        for (let redirects = 0; ; redirects++) {
          guard.check(target)
          const answer = await sendAgain(target, spec)
          const location = REDIRECTS.has(answer.status) ? answer.header('location') : undefined
          if (location === undefined) return answer
          discard(answer)
          if (redirects === MAX_REDIRECTS)
            throw new UplinkError(uplink, 'foreign', `redirects more than ${MAX_REDIRECTS} times`)
          if (!URL.canParse(location, target.href))
            throw new UplinkError(uplink, 'foreign', 'redirects to something that is no URL')
          const next = new URL(location, target)
          if (target.protocol === 'https:' && next.protocol !== 'https:')
            throw new UplinkError(uplink, 'refused', `redirects down to a \`${next.protocol}\` address`)
          target = next
        }
      } catch (error) {
        throw toUplinkError(uplink, error)
      }
    },
  }
}

/** Lets go of a body that nobody wants; a short one is read to its end, so that the connection can be used again. */
export function discard({ body }: Answer): void {
  body.dump({ limit: MAX_DUMPED, signal: AbortSignal.timeout(DUMP_TIMEOUT) }).catch(() => {})
}

function oneValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
