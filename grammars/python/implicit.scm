; Syntax that may call a method of its operand, by what it does; the adapter knows the methods.
(call function: (identifier) @counts (#any-of? @counts "len" "bool" "any" "all" "filter" "list"))
(call function: (identifier) @words (#any-of? @words "str" "print" "format" "repr" "ascii"))
(call function: (identifier) @goes_through
  (#any-of? @goes_through "iter" "list" "tuple" "set" "frozenset" "dict" "sorted" "sum" "min" "max"
    "any" "all" "enumerate" "zip" "map" "filter" "reversed" "next"))
(call function: (identifier) @compares
  (#any-of? @compares "hash" "set" "dict" "sorted" "min" "max" "frozenset"))
(call function: (identifier) @calculates
  (#any-of? @calculates "sum" "int" "float" "round" "abs" "range" "hex" "bin" "divmod" "pow"))
(call function: (identifier) @reaches
  (#any-of? @reaches "getattr" "hasattr" "setattr" "delattr"))
(call function: (attribute) @compares @words @goes_through)
(interpolation) @words
[(binary_operator) (augmented_assignment) (unary_operator)] @calculates
(binary_operator "%") @words
(comparison_operator) @compares
[(subscript) (delete_statement)] @picks
(attribute) @reaches
[(for_statement) (for_in_clause) (list_splat) (pattern_list) (tuple_pattern)] @goes_through
(yield "from") @goes_through
(with_statement) @enters
(await) @awaits
[(if_statement) (while_statement) (boolean_operator) (not_operator) (conditional_expression)
 (elif_clause) (if_clause) (assert_statement)] @counts
(class_definition) @builds
