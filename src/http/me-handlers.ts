import { CargoError } from '../errors.ts'
import type { FormSeal } from '../registry/form-seal.ts'
import type { OwnTokens } from '../registry/own-tokens.ts'
import type { RouteContext } from './handlers.ts'
import { mePage } from './pages/me-page.ts'
import { sendPage } from './pages/page.ts'
import { newTokenPage, tokenPage, tokensPath } from './pages/token-page.ts'
import { mustBeSameOrigin } from './same-origin.ts'
import { siteOf } from './site.ts'
import { parseTokenForm, parseTokenRequest, renderToken } from './token-request.ts'
import { rawBody } from './upload.ts'

/** Some words and a list of crates. */
const MAX_FORM_BYTES = 16 * 1024

export interface MeDeps {
  readonly tokens: OwnTokens
  readonly seal: FormSeal
  readonly now: () => Date
  /** Longest pause in a form, in milliseconds. */
  readonly bodyTimeout: number
}

/** What people see and do with their own tokens: pages for browsers, JSON for scripts. */
export function createMeHandlers({ tokens, seal, now, bodyTimeout }: MeDeps) {
  /** The fields of a form that was made for the person who sends it. */
  async function sealedForm(ctx: RouteContext): Promise<URLSearchParams> {
    mustBeSameOrigin(ctx)
    const form = await readForm(ctx, bodyTimeout)
    const user = ctx.state.caller.principal?.name ?? ''
    if (await seal.check(user, form.get('seal') ?? '')) return form
    throw new CargoError(
      'forbidden',
      'this form is too old or was made for somebody else: go back and try again',
    )
  }

  return {
    me(ctx: RouteContext) {
      const { caller } = ctx.state
      ctx.set('Cache-Control', 'no-store')
      const site = siteOf(ctx)
      if (tokens.offered && tokens.isPerson(caller)) return ctx.redirect(tokensPath(site))
      const place = tokens.offered ? tokensPath(site) : tokens.elsewhere
      sendPage(ctx, mePage({ site, tokens: place, steps: tokens.steps(site.base) }))
    },

    async tokenPage(ctx: RouteContext) {
      const list = await tokens.list(ctx.state.caller)
      const user = ctx.state.caller.principal?.name ?? ''
      const page = { site: siteOf(ctx), tokens: list, seal: await seal.make(user), now: now() }
      ctx.set('Cache-Control', 'no-store')
      sendPage(ctx, tokenPage(page))
    },

    async makeToken(ctx: RouteContext) {
      // Whoever may not have any hears so before the form is looked at.
      await tokens.list(ctx.state.caller)
      const wish = parseTokenForm(await sealedForm(ctx), now())
      const { token, issued } = await tokens.create(ctx.state.caller, wish)
      ctx.set('Cache-Control', 'no-store')
      sendPage(ctx, newTokenPage(siteOf(ctx), token, issued.name))
    },

    async endToken(ctx: RouteContext) {
      await tokens.list(ctx.state.caller)
      await sealedForm(ctx)
      await tokens.revoke(ctx.state.caller, ctx.params['id'] ?? '')
      ctx.set('Cache-Control', 'no-store')
      ctx.redirect(tokensPath(siteOf(ctx)))
      ctx.status = 303
    },

    async listTokens(ctx: RouteContext) {
      ctx.set('Cache-Control', 'no-store')
      ctx.body = { api_tokens: (await tokens.list(ctx.state.caller)).map(renderToken) }
    },

    async createToken(ctx: RouteContext) {
      mustBeSameOrigin(ctx)
      const wish = parseTokenRequest(ctx.request.body, now())
      const { token, issued } = await tokens.create(ctx.state.caller, wish)
      ctx.set('Cache-Control', 'no-store')
      ctx.body = { api_token: { ...renderToken(issued), token } }
    },

    async revokeToken(ctx: RouteContext) {
      mustBeSameOrigin(ctx)
      await tokens.revoke(ctx.state.caller, ctx.params['id'] ?? '')
      ctx.set('Cache-Control', 'no-store')
      ctx.body = {}
    },

    /** For whoever found a token, or has no more use for one: needs no password, and no id. */
    async revokeUsedToken(ctx: RouteContext) {
      const { principal } = ctx.state.caller
      if (principal === undefined)
        throw new CargoError('login_required', 'send the token that is to be revoked')
      await tokens.revoke(ctx.state.caller, principal.tokenId ?? '')
      ctx.set('Cache-Control', 'no-store')
      ctx.status = 204
    },
  }
}

export type MeHandlers = ReturnType<typeof createMeHandlers>

async function readForm(ctx: RouteContext, timeoutMs: number): Promise<URLSearchParams> {
  if (ctx.is('application/x-www-form-urlencoded') === false)
    throw new CargoError('invalid_request', 'invalid body: must be a form')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of rawBody(ctx, timeoutMs)) {
    size += chunk.length
    if (size > MAX_FORM_BYTES)
      throw new CargoError('too_large', `the form is larger than ${MAX_FORM_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
