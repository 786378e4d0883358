# What Ruby says of the texts on stdin: nothing of them is run.
# In: [{"text", "method"}], out: [{"line", "error"}, …].
require 'json'

answers = JSON.parse(STDIN.read).map do |one|
  text = one['text'].unpack1('m').force_encoding(Encoding::UTF_8)
  begin
    RubyVM::InstructionSequence.compile(text, 'handler')
    {}
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
