# The Runtime API client of Ruby functions: takes events over one connection
# that is kept open, runs the handler as Lambda does, and sends back what came of
# it. A socket rather than net/http, which takes longer to load.
require 'json'
require 'socket'

# Lines leave with the event that printed them, those of stderr among those of stdout.
$stdout.sync = true
$stderr.reopen($stdout)
$stderr.sync = true

# LambdaContext is what a handler is told about its function and the event.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :deadline_ms, :client_context, :identity

  def initialize(headers)
    @aws_request_id = headers['lambda-runtime-aws-request-id']
    @invoked_function_arn = headers['lambda-runtime-invoked-function-arn']
    @deadline_ms = headers['lambda-runtime-deadline-ms'].to_i
  end

  def function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
  def function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
  def memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
  def log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
  def log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
  def get_remaining_time_in_millis = [deadline_ms - (Time.now.to_f * 1000).to_i, 0].max
end

# Code that knows no AWS_ENDPOINT_URL calls AWS by name: the local cloud answers
# for it, but for the services that are let through.
module ArcHosts
  LED, THROUGH = ENV.delete('ARC_HOSTS').to_s.split(' ', 2)

  def self.lead(host, port)
    name = host.to_s.downcase
    return [host, port] unless LED && name.end_with?('.amazonaws.com', '.amazonaws.com.cn', '.api.aws')
    services = THROUGH.to_s.split(',')
    through = name.split('.').any? { |part| services.any? { |s| part == s || part.start_with?("#{s}-") } }
    through ? [host, port] : ['127.0.0.1', LED.to_i]
  end

  def open(host, port = nil, *more, **options, &block) = super(*ArcHosts.lead(host, port), *more, **options, &block)
  def new(host, port = nil, *more, **options) = super(*ArcHosts.lead(host, port), *more, **options)
end
TCPSocket.singleton_class.prepend(ArcHosts)
Socket.singleton_class.prepend(Module.new { def tcp(host, port, *more, **options, &block) = super(*ArcHosts.lead(host, port), *more, **options, &block) })

module ArcRuntime
  PATH = '/2018-06-01/runtime/'

  # Failure is an error that Lambda has a name of its own for.
  class Failure < StandardError
    attr_reader :type

    def initialize(type, message)
      super(message)
      @type = type
    end
  end

  module_function

  def connect
    @address = ENV['AWS_LAMBDA_RUNTIME_API']
    @socket = TCPSocket.new(*@address.split(':'))
    @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
  end

  def exchange(method, path, body = '', type = nil)
    head = +"#{method} #{PATH}#{path} HTTP/1.1\r\nHost: #{@address}\r\nContent-Length: #{body.bytesize}\r\n"
    head << "Lambda-Runtime-Function-Error-Type: #{type}\r\n" if type
    @socket.write(head << "\r\n" << body)
    exit!(1) unless @socket.gets # without its Runtime API a worker has nothing to live for
    headers = {}
    while (line = @socket.gets.strip) != ''
      name, value = line.split(':', 2)
      headers[name.downcase] = value.strip
    end
    [headers, @socket.read(headers['content-length'].to_i).force_encoding('UTF-8')]
  end

  def load_handler(spec)
    root = ENV['LAMBDA_TASK_ROOT']
    file, name, method = spec.split('.', 3)
    raise Failure.new('Runtime.MalformedHandlerName', "Bad handler #{spec}: it is FILE.METHOD, as in lambda.handler") unless name
    links = ENV.delete('ARC_LINKS')
    $LOAD_PATH.unshift(root, *(links ? [File.join(links, 'vendor'), links] : []))
    path = File.join(root, file)
    raise Failure.new('Runtime.ImportModuleError', "cannot load such file -- #{path}.rb") unless File.file?("#{path}.rb")
    begin
      require path
    rescue SyntaxError => e
      raise Failure.new('Runtime.UserCodeSyntaxError', e.message)
    rescue LoadError => e
      # What did_you_mean adds is a file of this machine's gems, which Lambda has none of.
      raise Failure.new('Runtime.ImportModuleError', e.respond_to?(:original_message) ? e.original_message : e.message)
    end
    target = method ? Object.const_get(name) : TOPLEVEL_BINDING.receiver
    method ||= name
    raise Failure.new('Runtime.HandlerNotFound', "undefined method '#{method}' in #{file}.rb") unless target.respond_to?(method, true)
    ->(event, context) { target.send(method, event: event, context: context) }
  rescue NameError => e
    raise Failure.new('Runtime.HandlerNotFound', e.message)
  end

  def report(path, error)
    type = error.is_a?(Failure) ? error.type : "Function<#{error.class}>"
    trace = (error.backtrace || []).reject { |line| line.include?(__FILE__) }
    puts "#{type}: #{error.message}", trace unless path == 'init/error' # the service tells what cannot be loaded
    exchange('POST', path, JSON.generate(errorMessage: error.message, errorType: type, stackTrace: trace), type)
  end

  def run
    connect
    begin
      handler = load_handler(ENV['_HANDLER'])
    rescue StandardError, ScriptError => e
      report('init/error', e)
      exit!(1)
    end
    loop do
      headers, body = exchange('GET', 'invocation/next')
      context = LambdaContext.new(headers)
      ENV['_X_AMZN_TRACE_ID'] = headers['lambda-runtime-trace-id']
      begin
        result = JSON.generate(handler.call(JSON.parse(body), context))
      rescue StandardError, NotImplementedError => e
        report("invocation/#{context.aws_request_id}/error", e)
      else
        exchange('POST', "invocation/#{context.aws_request_id}/response", result)
      end
    end
  end
end

ArcRuntime.run
