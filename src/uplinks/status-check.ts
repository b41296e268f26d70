import { type Answer, discard } from './exchange.ts'
import { parseRetryAfter } from './retry-after.ts'
import { DEFAULT_RETRY_AFTER } from './standing.ts'
import { UplinkError } from './uplink-error.ts'

/** The statuses by which a registry says that there is no such thing. */
export const ABSENT: ReadonlySet<number> = new Set([404, 410, 451])

/** The answer, if it has one of the wanted statuses; every other one is discarded, and a failure of its own kind. */
export type StatusCheck = (answer: Answer, wanted: (status: number) => boolean) => Answer

export function createStatusCheck(uplink: string, now: () => Date): StatusCheck {
  return (answer, wanted) => {
    const { status } = answer
    if (wanted(status)) return answer
    discard(answer)
    const retryAfter = parseRetryAfter(answer.header('retry-after'), now().getTime())
    if (status === 429)
      throw new UplinkError(uplink, 'limited', 'has limited us', {
        retryAfter: retryAfter ?? DEFAULT_RETRY_AFTER,
      })
    const hint = retryAfter === undefined ? {} : { retryAfter }
    if (status >= 500) throw new UplinkError(uplink, 'away', `answers ${status}`, hint)
    const advice = status === 401 || status === 403 ? ': check its `auth` and `headers`' : ''
    const where = ABSENT.has(status) ? { absent: answer.url.origin + answer.url.pathname } : {}
    throw new UplinkError(uplink, 'foreign', `answers ${status}${advice}`, where)
  }
}
