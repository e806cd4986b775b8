; What the face colours.  Inner nodes go over outer ones, later patterns over earlier ones.
[(comment) (line_continuation)] @comment
[(string) (concatenated_string)] @string
(escape_sequence) @escape
(interpolation) @plain
[(integer) (float)] @number
[(true) (false) (none) (ellipsis)] @constant

["and" "as" "assert" "async" "await" "break" "class" "continue" "def" "del" "elif" "else" "except"
 "except*" "finally" "for" "from" "global" "if" "import" "in" "is" "is not" "lambda" "nonlocal"
 "not" "not in" "or" "pass" "raise" "return" "try" "while" "with" "yield" "match" "case" "type"]
 @keyword

(call function: (identifier) @call)
(call function: (attribute attribute: (identifier) @call))
(keyword_argument name: (identifier) @parameter)
(type (identifier) @type)
(function_definition name: (identifier) @definition)
(class_definition name: (identifier) @definition)
(decorator) @decorator
(decorator (call arguments: (argument_list) @plain))
((identifier) @itself (#any-of? @itself "self" "cls"))
