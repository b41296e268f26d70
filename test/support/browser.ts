import { access, constants, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Debian's name of the program. */
const PROGRAM = 'chromium'
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** A real browser without a window. */
export interface TestBrowser {
  /** A page of its own, in a profile of its own. */
  open(options?: BrowserContextOptions): Promise<OpenPage>
}

/** A page, and what it did besides being shown. */
export interface OpenPage {
  readonly page: Page
  /** Errors and warnings of the console since the last call, such as violations of the policy; exceptions; dialogs. */
  takeComplaints(): readonly string[]
  /** The URL of everything that was asked for since the last call, the page itself included. */
  takeRequests(): readonly string[]
  close(): Promise<void>
}

/** Starts Chromium; it is closed at the end of the test. */
export async function startBrowser(t: TestContext): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: await findProgram(),
    // Root, as whom tests run in containers, has no sandbox, and containers have little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  t.after(() => browser.close())
  return {
    async open(options = {}) {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      const complaints: string[] = []
      const requests: string[] = []
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('request', (request) => requests.push(request.url()))
      return {
        page,
        takeComplaints: () => complaints.splice(0),
        takeRequests: () => requests.splice(0),
        close: () => context.close(),
      }
    },
  }
}

/** The problems that axe finds on a page and that keep people out, one line each. */
export async function barriersOn(page: Page): Promise<readonly string[]> {
  // Evaluated rather than added: the policy of the page does not let it in.
  await page.evaluate(await readFile(AXE, 'utf8'))
  return page.evaluate(async () => {
    const axe = Reflect.get(globalThis, 'axe')
    const { violations } = await axe.run({ resultTypes: ['violations'] })
    return violations
      .filter(({ impact }: { impact: string }) => ['serious', 'critical'].includes(impact))
      .map((one: { id: string; nodes: { target: unknown }[] }) =>
        [one.id, ...one.nodes.map(({ target }) => JSON.stringify(target))].join(' '),
      )
  })
}

async function findProgram(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, PROGRAM)
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  throw new Error(`${PROGRAM} is missing: \`npm test\` installs it, or says how`)
}
