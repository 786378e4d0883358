export const page = body => `<!doctype html><title>notes</title>${body}`
