import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { HostRequest, Logger } from '../../host.ts'
import { readsNeedLogin } from '../../options.ts'
import type { Caller } from '../../registry/access.ts'
import { type Soon, whenHere } from '../../registry/soon.ts'
import type { Asker, Callers } from '../caller.ts'
import type { CargoMetrics } from '../metrics.ts'
import { hostsOf } from '../one-host.ts'
import { whenSent } from '../sent.ts'
import { type Answer, type AnswersDeps, createAnswers } from './answers.ts'
import { createEndings } from './endings.ts'
import { type ComingBytes, sendComing } from './joined.ts'
import { createPieces } from './pieces.ts'
import type { Reply } from './reply.ts'
import { createBuffers, type KnownFile, type Outgoing, sendFile } from './send-file.ts'
import { createTargets, type Target } from './target.ts'

/** A request, and its answer to be. */
export type Visit = Asker & {
  /** Its id in log lines that are written later, where the logger does not know it by itself. */
  readonly request?: string
  /** When it came, in milliseconds on a clock that never jumps; default: now. */
  readonly began?: number
} & (OwnResponse | SharedResponse)

/** Nobody else has a say in it: no host, and none of its middlewares. */
export interface OwnResponse {
  readonly res: Reply
  /** Writes the head, names and values in turns. */
  begin(status: number, head: readonly string[]): void
}

interface SharedResponse {
  readonly res: ServerResponse
  readonly begin?: undefined
}

/**
 * Answers a request when all that it takes is in memory: who asked, when it did; `undefined` when it did nothing, and
 * the ordinary route has to answer: now, and whenever it is asked about the request again.
 *
 * Why: context, router and middlewares take several times what Node itself needs for an index file, and these are
 * what cargo asks for by the hundred (`npm run bench`, against bare Node). Each answer is that of the ordinary route,
 * to the byte: the tests of reads run through both, and `fast_path: false` turns this one off.
 */
export type FastPath = (visit: Visit) => Soon<Caller | undefined>

export interface FastPathDeps extends AnswersDeps {
  readonly callers: Callers
  readonly metrics: Pick<CargoMetrics, 'answered'>
  readonly logger: Logger
}

interface Found {
  readonly caller: Caller
  readonly answer: Answer
}

export function createFastPath(deps: FastPathDeps): FastPath {
  const { options, callers, metrics, logger } = deps
  const targetOf = createTargets(options.mount)
  const answers = createAnswers(deps)
  const required = readsNeedLogin(options)
  const outgoing = { buffers: createBuffers(), pieces: createPieces() }
  const endTogether = createEndings((err) => logger.error({ err }, 'an answer could not be sent'))

  /** A host that asks before Koa does asks again there. */
  const left = new WeakSet<HostRequest>()

  function find(visit: Visit, target: Target): Soon<Found | undefined> {
    return whenHere(callers.find(visit), (caller) => {
      if (required && caller.principal === undefined) return undefined
      const { headers, method } = visit.req
      const joiner = method === 'GET' ? visit : undefined
      return whenHere(answers.to(caller, target, headers, joiner), (answer) => answer && { caller, answer })
    })
  }

  function send(visit: Visit, target: Target, answer: Answer, began: number): void {
    const { req, res } = visit
    const { method = '' } = req
    const { status, content, sent } = answer
    answer.taken?.()
    setHead(visit, answer)
    if (method === 'GET' && sent !== undefined) whenSent(res, sent)
    const seconds = (performance.now() - began) / 1000
    metrics.answered({ route: target.route, method, status, seconds, length: content && lengthOf(content) })
    const isEmpty = method === 'HEAD' || status === 304
    const isFile = content !== undefined && !Buffer.isBuffer(content)
    if (!isFile) {
      const body = isEmpty ? undefined : content
      // Where others have a say, they expect that an answer has ended; a session of HTTP/2 sends all of a turn together.
      if (visit.begin !== undefined && !('stream' in res)) endTogether(res, body)
      else if (!res.destroyed) res.end(body)
      return
    }
    sendOrClose(res, isEmpty, content, outgoing).catch((err) =>
      logger.error(
        { err, ...(visit.request && { request: visit.request }) },
        'a crate file could not be sent to its end',
      ),
    )
  }

  return function answerAtOnce(visit) {
    const { req } = visit
    const { method = '', url = '', headers } = req
    if ((method !== 'GET' && method !== 'HEAD') || hasBody(headers) || hostsOf(req) > 1) return undefined
    const target = left.has(req) ? undefined : targetOf(url)
    if (target === undefined) return undefined
    const { began = performance.now() } = visit
    const leave = () => void left.add(req)
    const finish = (found: Found | undefined) => {
      if (found === undefined) return leave()
      send(visit, target, found.answer, began)
      return found.caller
    }
    let found: Soon<Found | undefined>
    try {
      found = find(visit, target)
    } catch {
      // The ordinary route fails alike, and knows how to say so.
      return leave()
    }
    return found instanceof Promise ? found.then(finish, leave) : finish(found)
  }
}

/** What comes with a body, or wants to, is read by the ordinary route. */
function hasBody(headers: IncomingHttpHeaders): boolean {
  const { 'content-length': length = '0' } = headers
  return length !== '0' || headers['transfer-encoding'] !== undefined || headers.expect !== undefined
}

function lengthOf(content: NonNullable<Answer['content']>): number | undefined {
  if (Buffer.isBuffer(content)) return content.length
  return 'file' in content ? content.file.size : content.size
}

function setHead(visit: Visit, { status, head }: Answer): void {
  if (visit.begin !== undefined) {
    visit.begin(status, head)
    return
  }
  const { res } = visit
  // One by one: hosts and their middlewares see what is set, and may have replaced what sends it.
  for (let i = 0; i < head.length; i += 2) res.setHeader(head[i] ?? '', head[i + 1] ?? '')
  res.statusCode = status
}

/** Sends a file, or only its head. */
function sendOrClose(
  res: Reply,
  isEmpty: boolean,
  content: KnownFile | ComingBytes,
  outgoing: Outgoing,
): Promise<void> {
  if (!('file' in content)) return sendComing(res, content)
  if (!isEmpty) return sendFile(res, content, outgoing)
  if (!res.destroyed) res.end()
  return content.file.close()
}
