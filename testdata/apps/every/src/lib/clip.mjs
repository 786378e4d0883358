export const clip = text => text.slice(0, 200)
