import type { IncomingHttpHeaders } from 'node:http'
import type { OpenObject } from '../../host.ts'
import { type Options, readsNeedLogin } from '../../options.ts'
import { errorBody } from '../../protocol/api.ts'
import { unknownCrate } from '../../protocol/decide.ts'
import { renderIndexConfig } from '../../protocol/index-config.ts'
import type { Caller } from '../../registry/access.ts'
import type { Registry } from '../../registry/registry.ts'
import { freshTag, gzipTag } from '../conditional.ts'
import { CRATE_TYPE, crateHead } from '../crate-head.ts'
import type { IndexForms } from '../index-forms.ts'
import { INDEX_TYPE, indexHead, REVALIDATE } from '../index-head.ts'
import type { Target } from './target.ts'

/** An answer that is ready. */
export interface Answer {
  readonly status: number
  /** Names and values in turns, `Content-Length` included. */
  readonly head: readonly string[]
  /** Must be closed if it is open. */
  readonly content?: Buffer | OpenObject
  /** To be told that this is the answer. */
  taken?(): void
  /** To be told once it was completely sent. */
  sent?(): void
}

export interface AnswersDeps {
  readonly options: Options
  readonly registry: Pick<Registry, 'config' | 'ready'>
  readonly forms: IndexForms
}

/** What can be answered from memory; whatever it is, the ordinary route would say the same. */
export interface Answers {
  /**
   * `undefined` when it takes more than a look into memory.
   * @throws {CargoError} when the ordinary route has to refuse
   */
  to(caller: Caller, target: Target, headers: IncomingHttpHeaders): Promise<Answer | undefined>
}

const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8']

export function createAnswers({ options, registry, forms }: AnswersDeps): Answers {
  const required = readsNeedLogin(options)
  // What the ordinary route says of all it answers: see `createCors()` and `createCallerFinder()`.
  const common = required ? ['Vary', 'Authorization'] : ['Access-Control-Allow-Origin', '*']
  const commonOfIndex = required
    ? ['Vary', 'Authorization, Accept-Encoding']
    : [...common, 'Vary', 'Accept-Encoding']

  function json(status: number, cacheControl: string, value: string): Answer {
    const content = Buffer.from(value)
    const head = [...common, 'Cache-Control', cacheControl, ...JSON_TYPE, ...lengthOf(content)]
    return { status, head, content }
  }

  async function index(
    caller: Caller,
    { name }: Target & { readonly kind: 'index' },
    headers: IncomingHttpHeaders,
  ): Promise<Answer | undefined> {
    const ready = await registry.ready.index(caller, name)
    if (ready === undefined) return undefined
    const { taken } = ready
    if (!ready.found)
      return { ...json(404, 'no-store', JSON.stringify(errorBody([unknownCrate(name).message]))), taken }
    const { file } = ready
    const head = [...commonOfIndex, ...indexHead(file)]
    const tag = freshTag(headers['if-none-match'] ?? '', [file.etag, gzipTag(file.etag)])
    if (tag !== undefined) return { status: 304, head: [...head, 'ETag', tag], taken }
    const form = forms.ready(file, String(headers['accept-encoding'] ?? ''))
    if (form === undefined) return undefined
    head.push('ETag', form.etag, 'Content-Type', INDEX_TYPE, ...lengthOf(form.body))
    if (form.encoding !== undefined) head.push('Content-Encoding', form.encoding)
    return { status: 200, head, content: form.body, taken }
  }

  async function download(
    caller: Caller,
    { name, version }: Target & { readonly kind: 'download' },
    headers: IncomingHttpHeaders,
  ): Promise<Answer | undefined> {
    // Parts are asked for too rarely.
    if (headers.range !== undefined) return undefined
    const ready = await registry.ready.download(caller, name, version)
    if (ready === undefined) return undefined
    const { cksum, size, content, taken, sent } = ready
    const head = [...common, ...crateHead(ready, !required)]
    if (freshTag(headers['if-none-match'] ?? '', [`"${cksum}"`]) !== undefined)
      return { status: 304, head, content, taken }
    head.push('Content-Type', CRATE_TYPE, 'Content-Length', String(size))
    return { status: 200, head, content, taken, sent }
  }

  return {
    async to(caller, target, headers) {
      switch (target.kind) {
        case 'config':
          return json(200, REVALIDATE, renderIndexConfig(registry.config(caller)).toString())
        case 'index':
          return index(caller, target, headers)
        case 'download':
          return download(caller, target, headers)
      }
    },
  }
}

function lengthOf(body: Buffer): readonly string[] {
  return ['Content-Length', String(body.length)]
}
