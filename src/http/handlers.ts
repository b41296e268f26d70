import { CargoError } from '../errors.ts'
import { ok, parseOwnersRequest } from '../protocol/api.ts'
import { renderIndexConfig } from '../protocol/index-config.ts'
import { indexPath, isValidName, validateName } from '../protocol/name.ts'
import { validateVersion } from '../protocol/version.ts'
import type { Registry } from '../registry/registry.ts'
import { freshTag, gzipTag, isFresh, isUnmodified } from './conditional.ts'
import type { CargoContext } from './context.ts'
import { CRATE_TYPE, crateHead } from './crate-head.ts'
import type { IndexForms } from './index-forms.ts'
import { eachHeader, INDEX_TYPE, indexHead, REVALIDATE } from './index-head.ts'
import { parseRange } from './range.ts'
import { whenSent } from './sent.ts'
import { bodyLength, rawBody } from './upload.ts'

/** A request whose route has parameters. */
export type RouteContext = CargoContext & {
  readonly params: Readonly<Record<string, string>>
  readonly request: { readonly body?: unknown }
}

/** What each route answers: reads the request, asks the registry once, sets the response. */
export function createHandlers(registry: Registry, forms: IndexForms) {
  const { client_body_timeout } = registry.options
  const isPublic = registry.config({ principal: undefined, via: '' })['auth-required'] !== true

  async function setYanked(ctx: RouteContext, yank: boolean) {
    const [name, version] = [validateName(param(ctx, 'crate')), validateVersion(param(ctx, 'version'))]
    await registry.setYanked(ctx.state.caller, name, version, yank)
    ctx.body = ok()
  }

  return {
    config(ctx: RouteContext) {
      ctx.set('Cache-Control', REVALIDATE)
      ctx.type = 'json'
      ctx.body = renderIndexConfig(registry.config(ctx.state.caller))
    },

    async index(ctx: RouteContext) {
      const name = indexedName(ctx)
      const file = await registry.index(ctx.state.caller, name)
      eachHeader(indexHead(file), (header, value) => ctx.set(header, value))
      ctx.vary('Accept-Encoding')
      const tag = freshTag(ctx.get('If-None-Match'), [file.etag, gzipTag(file.etag)])
      if (tag !== undefined) {
        ctx.set('ETag', tag)
        ctx.status = 304
        return
      }
      const form = await forms.of(file, ctx.get('Accept-Encoding'))
      ctx.set('ETag', form.etag)
      if (form.encoding !== undefined) ctx.set('Content-Encoding', form.encoding)
      ctx.type = INDEX_TYPE
      ctx.body = form.body
    },

    async download(ctx: RouteContext) {
      const file = await registry.download(
        ctx.state.caller,
        validateName(param(ctx, 'crate')),
        validateVersion(param(ctx, 'version')),
      )
      const etag = `"${file.cksum}"`
      const tags = ctx.get('If-None-Match')
      const isKnown =
        tags === '' ? isUnmodified(ctx.get('If-Modified-Since'), file.modified) : isFresh(tags, etag)
      if (ctx.method === 'GET' && !isKnown && file.address !== undefined) {
        redirect(ctx, await file.address(`${param(ctx, 'crate')}-${param(ctx, 'version')}.crate`))
        // How it ends is not seen here.
        whenSent(ctx.res, () => file.sent(ctx.get('Range') === ''))
        return
      }
      eachHeader(crateHead(file, isPublic), (header, value) => ctx.set(header, value))
      if (isKnown) {
        ctx.status = 304
        return
      }
      const { size } = file
      // A file that is still to come is sent whole.
      const unchanged = ctx.get('If-Range') === '' || ctx.get('If-Range') === etag
      // Only GET has parts: RFC 9110 section 14.2.
      const mayBePart = ctx.method === 'GET' && unchanged && size !== undefined
      const range = mayBePart ? parseRange(ctx.get('Range'), size) : undefined
      // A stream for HEAD would be opened for nobody.
      const opened = ctx.method === 'HEAD' ? undefined : await file.open(range)
      ctx.status = range ? 206 : 200
      if (range) ctx.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`)
      ctx.type = CRATE_TYPE
      if (opened !== undefined) {
        ctx.body = opened.body
        // Koa would wait in vain for the end of an answer whose connection has ended before its turn came.
        if (ctx.res.destroyed) opened.body.destroy()
        whenSent(ctx.res, () => file.sent(range === undefined))
      }
      const length = range ? range.end - range.start : (opened?.size ?? size)
      if (length !== undefined) ctx.length = length
    },

    async publish(ctx: RouteContext) {
      const request = { length: () => bodyLength(ctx), body: () => rawBody(ctx, client_body_timeout) }
      ctx.body = await registry.publish(ctx.state.caller, request)
    },

    yank: (ctx: RouteContext) => setYanked(ctx, true),
    unyank: (ctx: RouteContext) => setYanked(ctx, false),

    async removeCrate(ctx: RouteContext) {
      const name = validateName(param(ctx, 'crate'))
      await registry.remove(ctx.state.caller, name)
      ctx.body = ok(`crate \`${name}\` is removed: its name is never used again`)
    },

    async removeVersion(ctx: RouteContext) {
      const [name, version] = [validateName(param(ctx, 'crate')), validateVersion(param(ctx, 'version'))]
      await registry.remove(ctx.state.caller, name, version)
      ctx.body = ok(`crate version \`${name}@${version}\` is removed: its number is never used again`)
    },

    async addOwners(ctx: RouteContext) {
      const add = parseOwnersRequest(ctx.request.body)
      const name = validateName(param(ctx, 'crate'))
      await registry.changeOwners(ctx.state.caller, name, { add })
      ctx.body = ok(
        `${add.map((login) => `\`${login}\``).join(', ')} added to the owners of crate \`${name}\``,
      )
    },

    async removeOwners(ctx: RouteContext) {
      const remove = parseOwnersRequest(ctx.request.body)
      const name = validateName(param(ctx, 'crate'))
      await registry.changeOwners(ctx.state.caller, name, { remove })
      ctx.body = ok(
        `${remove.map((login) => `\`${login}\``).join(', ')} removed from the owners of crate \`${name}\``,
      )
    },

    async explain(ctx: RouteContext) {
      const version = ctx.params['version']
      ctx.set('Cache-Control', REVALIDATE)
      ctx.body = await registry.explain(
        ctx.state.caller,
        validateName(param(ctx, 'crate')),
        version === undefined ? undefined : validateVersion(version),
      )
    },

    /** Browsers name HTML; whoever takes anything is told how to get a token. */
    home(ctx: RouteContext) {
      const isBrowser = ctx.get('Accept').includes('text/html')
      ctx.redirect(`${ctx.state.caller.via}${isBrowser ? '/-/' : '/me'}`)
      ctx.vary('Accept')
    },

    gitIndex(ctx: RouteContext) {
      throw new CargoError(
        'not_supported',
        `this registry has no git index: configure \`index = "sparse+${ctx.state.caller.via}/"\` in \`.cargo/config.toml\``,
      )
    },
  }
}

export type Handlers = ReturnType<typeof createHandlers>

/**
 * To the bytes in the store. Without an ETag: cargo takes the first one on the way. Without a body, in which
 * `ctx.redirect()` would repeat the URL: whoever has it has the file.
 */
function redirect(ctx: RouteContext, url: string): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Location', url)
  ctx.status = 302
  ctx.body = ''
}

/** The crate an index path is for; any path that is not exactly that of a name is of nothing. */
function indexedName(ctx: RouteContext) {
  const name = param(ctx, 'name')
  const parts = [ctx.params['first'], ctx.params['second'], name].filter((part) => part !== undefined)
  const asked = parts.join('/')
  // An escaped slash has been decoded by now, but it separates nothing.
  const isPath = parts.every((part) => !part.includes('/'))
  if (!isValidName(name) || !isPath || !isIndexPath(asked.toLowerCase(), name)) {
    throw new CargoError('not_found', `there is no index file \`${asked}\``)
  }
  return name
}

/** Dependabot looks for a name of three letters in the folder of its first two; no other name's file is there. */
function isIndexPath(path: string, name: string): boolean {
  const lower = name.toLowerCase()
  return path === indexPath(name) || (name.length === 3 && path === `3/${lower.slice(0, 2)}/${lower}`)
}

function param(ctx: RouteContext, name: string): string {
  return ctx.params[name] ?? ''
}
