// An auth plugin with groups and a verdict of its own, as companies have them for their directories.

exports.default = class Teams {
  constructor({ teams, sealed }) {
    this.teams = teams
    this.sealed = sealed
  }

  authenticate(user, password, done) {
    if (this.teams[user] === undefined) return done(null, false)
    done(null, password === `secret-of-${user}` && this.teams[user])
  }

  adduser(user, _password, done) {
    done(null, this.teams[user] !== undefined)
  }

  allow_access(user, { name }, done) {
    if (name === this.sealed && !user.groups.includes('vault'))
      return done(Object.assign(new Error('sealed'), { status: 403 }))
    done(null, false)
  }
}
