; What the face colours.  Inner nodes go over outer ones, later patterns over earlier ones.
[(comment) (hash_bang_line)] @comment
[(string) (template_string) (regex)] @string
(escape_sequence) @escape
(template_substitution) @plain
(number) @number
[(true) (false) (null) (undefined)] @constant

["as" "async" "await" "break" "case" "catch" "class" "const" "continue" "debugger" "default"
 "delete" "do" "else" "export" "extends" "finally" "for" "from" "function" "get" "if" "import" "in"
 "instanceof" "let" "new" "of" "return" "set" "static" "switch" "throw" "try" "typeof" "var"
 "void" "while" "with" "yield"] @keyword

(call_expression function: (identifier) @call)
(call_expression function: (member_expression property: (property_identifier) @call))
(new_expression constructor: (identifier) @type)
(function_declaration name: (identifier) @definition)
(generator_function_declaration name: (identifier) @definition)
(function_expression name: (identifier) @definition)
(method_definition name: (_) @definition)
(class_declaration name: (identifier) @definition)
(variable_declarator name: (identifier) @definition value: [(arrow_function) (function_expression)])
(decorator) @decorator
[(this) (super)] @itself
