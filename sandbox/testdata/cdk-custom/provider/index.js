exports.handler = async (event) => {
  const { RequestType, ResourceProperties: p, PhysicalResourceId } = event
  console.log(`${RequestType} ${PhysicalResourceId} ${JSON.stringify(p)}`)
  if (p.Fail === 'yes' && RequestType !== 'Delete') throw new Error('the provider fails on purpose')
  if (RequestType === 'Delete') return
  return { PhysicalResourceId: 'provided-' + p.Name, Data: { Greeting: 'hello ' + p.Name } }
}
