import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Options, readsNeedLogin } from '../../options.ts'
import { errorBody } from '../../protocol/api.ts'
import { unknownCrate } from '../../protocol/decide.ts'
import { renderIndexConfig } from '../../protocol/index-config.ts'
import type { Caller } from '../../registry/access.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Asker, Callers } from '../caller.ts'
import { freshTag, gzipTag } from '../conditional.ts'
import type { IndexForms } from '../index-forms.ts'
import { INDEX_TYPE, indexHead, REVALIDATE } from '../index-head.ts'
import type { CargoMetrics } from '../metrics.ts'
import { createTargets, type Target } from './target.ts'

/** A request, its answer to be, and where it came from. */
export interface Visit extends Asker {
  readonly res: ServerResponse
}

/**
 * Answers a request when all that it takes is in memory: who asked, when it did; `undefined` when it did nothing, and
 * the ordinary route has to answer.
 *
 * Why: context, router and middlewares take twice the time that Node itself needs for an index file, and these are
 * what cargo asks for by the hundred (`npm run bench`). Each answer is that of the ordinary route, to the byte: the
 * tests of reads run through both, and `fast_path: false` turns this one off.
 */
export type FastPath = (visit: Visit) => Promise<Caller | undefined>

export interface FastPathDeps {
  readonly options: Options
  readonly registry: Pick<Registry, 'config' | 'ready'>
  readonly callers: Callers
  readonly forms: IndexForms
  readonly metrics: Pick<CargoMetrics, 'answered'>
}

interface Answer {
  readonly status: number
  readonly head: readonly string[]
  readonly body: Buffer | undefined
  /** To be told that it is sent. */
  taken(): void
}

export function createFastPath(deps: FastPathDeps): FastPath {
  const { options, registry, callers, metrics } = deps
  const targetOf = createTargets(options.mount)
  const required = readsNeedLogin(options)
  // As the ordinary route says to all: see `createCors()` and `createCallerFinder()`.
  const common = required ? ['Vary', 'Authorization'] : ['Access-Control-Allow-Origin', '*']
  const commonOfIndex = required
    ? ['Vary', 'Authorization, Accept-Encoding']
    : ['Access-Control-Allow-Origin', '*', 'Vary', 'Accept-Encoding']

  async function indexAnswer(
    caller: Caller,
    { name }: Target & { readonly kind: 'index' },
    headers: IncomingHttpHeaders,
  ): Promise<Answer | undefined> {
    const ready = await registry.ready.index(caller, name)
    if (ready === undefined) return undefined
    const { taken } = ready
    if (!ready.found) return { ...absent(name), taken }
    const { file } = ready
    const { etag } = file
    const head = [...commonOfIndex, ...indexHead(file)]
    const tag = freshTag(headers['if-none-match'] ?? '', [etag, gzipTag(etag)])
    if (tag !== undefined) return { status: 304, head: [...head, 'ETag', tag], body: undefined, taken }
    const form = deps.forms.ready(file, String(headers['accept-encoding'] ?? ''))
    if (form === undefined) return undefined
    head.push('ETag', form.etag, 'Content-Type', INDEX_TYPE)
    if (form.encoding !== undefined) head.push('Content-Encoding', form.encoding)
    return { status: 200, head, body: form.body, taken }
  }

  function absent(name: string) {
    const body = Buffer.from(JSON.stringify(errorBody([unknownCrate(name).message])))
    return { status: 404, head: [...common, 'Cache-Control', 'no-store', ...JSON_TYPE], body }
  }

  function configAnswer(caller: Caller): Answer {
    const body = Buffer.from(renderIndexConfig(registry.config(caller)))
    return {
      status: 200,
      head: [...common, 'Cache-Control', REVALIDATE, ...JSON_TYPE],
      body,
      taken() {},
    }
  }

  async function answerTo(caller: Caller, target: Target, headers: IncomingHttpHeaders) {
    switch (target.kind) {
      case 'config':
        return configAnswer(caller)
      case 'index':
        return indexAnswer(caller, target, headers)
      case 'download':
        return undefined
    }
  }

  return async function answerAtOnce(visit) {
    const { req, res } = visit
    const { method = '', url = '', headers } = req
    if ((method !== 'GET' && method !== 'HEAD') || hasBody(headers)) return undefined
    const target = targetOf(url)
    if (target === undefined) return undefined
    const began = performance.now()
    let caller: Caller
    let answer: Answer | undefined
    try {
      caller = await callers.find(visit)
      if (required && caller.principal === undefined) return undefined
      answer = await answerTo(caller, target, headers)
    } catch {
      // The ordinary route fails alike, and knows how to say so.
      return undefined
    }
    if (answer === undefined) return undefined
    answer.taken()
    send(res, answer, method === 'HEAD')
    const { status } = answer
    metrics.answered({ route: target.route, method, status, seconds: (performance.now() - began) / 1000 })
    return caller
  }
}

const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8']

/** What comes with a body, or wants to, is read by the ordinary route. */
function hasBody(headers: IncomingHttpHeaders): boolean {
  const { 'content-length': length = '0' } = headers
  return length !== '0' || headers['transfer-encoding'] !== undefined || headers.expect !== undefined
}

function send(res: ServerResponse, { status, head, body }: Answer, headOnly: boolean): void {
  // One by one: hosts and their middlewares see what is set, and replace what sends it.
  for (let i = 0; i < head.length; i += 2) res.setHeader(head[i] ?? '', head[i + 1] ?? '')
  if (body !== undefined) res.setHeader('Content-Length', body.length)
  res.statusCode = status
  if (body === undefined || headOnly) res.end()
  else res.end(body)
}
