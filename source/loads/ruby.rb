# What Ruby says of the texts on stdin: nothing of them is run.
# In: [{"text", "method"}], out: [{"line", "error", "lacks"}, …].
require 'json'
require 'ripper'

# Words by which a file may get a method that its text does not name.
OPEN = %w[eval instance_eval class_eval module_eval instance_exec class_exec module_exec define_method
          define_singleton_method method_missing const_missing load require_relative autoload include extend
          prepend binding send public_send __send__ alias_method refine using TOPLEVEL_BINDING].freeze

# What is asked for by require and defines no method at the top: of Ruby itself, and AWS's SDK.
# https://docs.ruby-lang.org/en/master/standard_library_md.html
PLAIN = %w[base64 benchmark bigdecimal cgi csv date delegate digest erb fileutils forwardable json logger net/http
           open3 openssl ostruct pathname securerandom set shellwords singleton socket stringio tempfile time
           timeout tmpdir tsort uri weakref yaml zlib].freeze

# LACKS tells that a loaded file cannot have the method that Lambda calls, by the text
# and what is behind the file's name in the handler, "handler" or "Class.method": its
# name stands nowhere but in comments, and nothing is made while the file is loaded.
LACKS = lambda do |text, method|
  of, dot, name = method.rpartition('.')
  return false if (dot.empty? ? self : Class).respond_to?(name, true)
  tokens = Ripper.lex(text).map { |_, kind, token| [kind, token] }
  tokens.reject! { |kind, _| %i[on_comment on_embdoc on_embdoc_beg on_embdoc_end on_sp on_lparen].include?(kind) }
  word = /(?<!\w)#{Regexp.escape(name)}(?!\w)/
  tokens.each_with_index.none? do |(kind, token), at|
    OPEN.include?(token) || token.match?(word) || !of.empty? && kind == :on_op && token == '<' ||
      token == 'require' && !(tokens[at + 1]&.first == :on_tstring_beg && tokens[at + 3]&.first == :on_tstring_end &&
        (PLAIN.include?(tokens[at + 2].last) || tokens[at + 2].last.start_with?('aws-sdk-')))
  end
end

answers = JSON.parse(STDIN.read).map do |one|
  text = one['text'].unpack1('m').force_encoding(Encoding::UTF_8)
  begin
    RubyVM::InstructionSequence.compile(text, 'handler')
    { lacks: LACKS.call(text, one['method']) }
  rescue SyntaxError => e
    # Ruby 3.4 and later draw the place, and what they say stands beside it.
    said = e.message.lines.map(&:chomp)
    at = said.find { |l| l =~ /\Ahandler:\d+:/ } || 'handler:1:'
    error = at[/\Ahandler:\d+: (.*)/, 1].to_s
    if (drawn = said.find { |l| l =~ /\A\s*\|\s*\^/ })
      error = drawn[/\^+~*\s*(.*)/, 1].to_s
      if (line = said[0...said.index(drawn)].reverse.find { |l| l =~ /\A>\s*\d+ \|/ })
        at = "handler:#{line[/\d+/]}:"
      end
    end
    { line: at[/\d+/].to_i, error: error.sub(/\Asyntax errors? found.*/, '').sub(/\Asyntax error, /, '') }
  rescue ArgumentError, EncodingError
    {}
  end
end
STDOUT.write(JSON.generate(answers))
