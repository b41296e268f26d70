// The authorisation differential once more, with the plugin asked before Koa is, as the bundled server asks it.
process.env['FAST_PATH'] = 'front'

await import('../authorisation-differential.test.ts')
