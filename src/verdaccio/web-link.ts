import type { Context, Next } from 'koa'
import type { VerdaccioConfig } from '../hosts/verdaccio/api.ts'

/** Below the pages, so that these are what is around it. */
const SCRIPT_PATH = '/-/verdaccio.js'

/** Runs in the host's pages, which offer no other way in, and are drawn anew again and again. */
const SCRIPT = `(() => {
  const to = new URL('./', document.currentScript.src).pathname
  const place = () => {
    const header = document.querySelector('[data-testid="header-right"]')
    if (header === null || document.getElementById('cargo-crates') !== null) return
    const link = document.createElement('a')
    Object.assign(link, { id: 'cargo-crates', href: to, textContent: 'Crates' })
    Object.assign(link.style, { color: 'inherit', alignSelf: 'center', marginRight: '16px' })
    header.prepend(link)
  }
  new MutationObserver(place).observe(document.body, { childList: true, subtree: true })
  place()
})()
`

/** Lets the host's web pages load the script that puts the link in; `path` is where clients see the registry. */
export function linkFromWeb(config: VerdaccioConfig, path: string): void {
  config.web ??= {}
  config.web.scriptsBodyAfter ??= []
  config.web.scriptsBodyAfter.push(`<script defer src="${path}${SCRIPT_PATH}"></script>`)
}

/** Serves the script, for which nobody needs a login: it tells nothing but where the pages are. */
export function serveLink(mount: string) {
  return async function webLink(ctx: Context, next: Next): Promise<void> {
    if (ctx.path !== mount + SCRIPT_PATH || !['GET', 'HEAD'].includes(ctx.method)) return next()
    ctx.type = 'text/javascript'
    ctx.set('Cache-Control', 'public, max-age=3600')
    ctx.body = SCRIPT
  }
}
