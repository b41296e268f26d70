import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, request } from 'undici'
import type { WebhookOptions } from '../options.ts'
import { createConnections } from '../uplinks/connections.ts'
import { createEgressGuard } from '../uplinks/egress.ts'
import { USER_AGENT } from '../uplinks/exchange.ts'
import { ownHeaders } from '../uplinks/home.ts'
import { parseRetryAfter } from '../uplinks/retry-after.ts'
import { connectionProblem, isBrokenConnection } from '../uplinks/uplink-error.ts'
import { signatureHeaders } from './signature.ts'

/** Deliveries to one receiver at a time. */
export const MAX_IN_FLIGHT = 4
/** Of an answer so much is read, so that the connection can be used again, and thrown away. */
const MAX_ANSWER = 64 * 1024
const GONE = 410

/** How an attempt to deliver a message ended. */
export type Attempt =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'failed'
      /** A phrase that goes on after the name of the receiver. */
      readonly error: string
      /** Seconds for which the receiver wants to be left alone. */
      readonly retryAfter?: number | undefined
      /** Whether the receiver does not want to be asked again. */
      readonly gone?: boolean
    }

/** Sends messages to one receiver. */
export interface Sender {
  /** Never throws; takes at most the receiver's `timeout`. */
  send(id: string, body: string): Promise<Attempt>
  /** Ends what is still being sent after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/**
 * A sender to the receiver of these options, which are written at `key`. What the URL resolves to is the operator's
 * business; nobody else names an address, since redirects are not followed.
 * @throws {OptionsError} when `ca` is no certificate
 */
export function createSender(options: WebhookOptions, key: string, now: () => Date): Sender {
  const { secret = '', timeout } = options
  const url = new URL(options.url)
  const connections = createConnections(
    { ...options, agent_options: { maxSockets: MAX_IN_FLIGHT } },
    createEgressGuard(url.origin, url),
    key,
  )
  const own = ownHeaders(options.headers)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  async function post(id: string, body: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const timestamp = Math.floor(now().getTime() / 1000)
    return request(url, {
      method: 'POST',
      dispatcher: connections.dispatcherFor(url),
      headers: {
        'user-agent': USER_AGENT,
        ...own,
        'content-type': 'application/json',
        ...signatureHeaders(secret, { id, timestamp, body }),
      },
      body,
      signal,
    })
  }

  async function attempt(id: string, body: string): Promise<Attempt> {
    const signal = AbortSignal.any([AbortSignal.timeout(Math.ceil(timeout)), closing.signal])
    try {
      const answer = await post(id, body, signal).catch((error: unknown) => {
        // A connection that was idle may end just when it is used again.
        if (!isBrokenConnection(error) || signal.aborted) throw error
        return post(id, body, signal)
      })
      await answer.body.dump({ limit: MAX_ANSWER, signal }).catch(() => {})
      return judge(answer, now())
    } catch (error) {
      return { kind: 'failed', error: connectionProblem(error) }
    }
  }

  return {
    async send(id, body) {
      const sending = attempt(id, body)
      running.add(sending)
      return sending.finally(() => running.delete(sending))
    },
    async close(graceMs) {
      const late = new AbortController()
      const timer = sleep(graceMs, undefined, { signal: late.signal }).catch(() => {})
      await Promise.race([Promise.all(running), timer])
      late.abort()
      closing.abort()
      await Promise.all(running)
      await connections.close()
    },
  }
}

function judge({ statusCode, headers }: Dispatcher.ResponseData, now: Date): Attempt {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' }
  const isRedirect = statusCode >= 300 && statusCode < 400
  const error = `answers ${statusCode}${isRedirect ? ', and redirects are not followed' : ''}`
  const wish = headers['retry-after']
  const retryAfter = parseRetryAfter(typeof wish === 'string' ? wish : undefined, now.getTime())
  return { kind: 'failed', error, retryAfter, gone: statusCode === GONE }
}
