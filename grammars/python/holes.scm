; Where a patch may go.  @expression any value; the other names say what else is known of it.
(comparison_operator operators: _ @operator)
(binary_operator operator: _ @operator)
(boolean_operator operator: _ @operator)
(augmented_assignment operator: _ @operator)
(assignment left: [(identifier) (subscript) (attribute)] !type "=" @operator)
[(true) (false) (none)] @constant
[(break_statement) (continue_statement)] @token

[(identifier) (integer) (float) (string) (concatenated_string) (true) (false) (none) (list) (tuple) (dictionary) (set)
 (binary_operator) (boolean_operator) (comparison_operator) (not_operator) (unary_operator)
 (call) (subscript) (attribute) (conditional_expression) (list_comprehension)
 (generator_expression) (set_comprehension) (dictionary_comprehension)] @expression

; Not values: names that are written, keywords, parameters, patterns.
(attribute attribute: (identifier) @label)
(keyword_argument name: (identifier) @label)
(parameters) @skip
(lambda_parameters) @skip
(decorator) @skip
(import_statement) @skip
(import_from_statement) @skip
(global_statement) @skip
(nonlocal_statement) @skip
(type) @skip
(format_specifier) @skip
(concatenated_string (string) @skip)
(interpolation) @interpolation
(function_definition name: (identifier) @label)
(class_definition name: (identifier) @label)
(class_definition superclasses: (argument_list) @skip)
(assignment left: (_) @target)
(augmented_assignment left: (_) @target)
(for_statement left: (_) @target)
(for_in_clause left: (_) @target)
(as_pattern_target) @target
(named_expression name: (identifier) @target)
(delete_statement (_) @target)
(case_pattern) @skip

(binary_operator left: (_) @operand.left right: (_) @operand.right)
(boolean_operator left: (_) @operand.left right: (_) @operand.right)
(await (_) @awaited)
(not_operator argument: (_) @unwrapped)
(unary_operator argument: (_) @unwrapped)
(call function: (_) @function)
(attribute object: (_) @receiver)
(attribute attribute: (identifier) @member)
(subscript value: (_) @subscripted subscript: (_) @index)
(slice) @slice
(keyword_argument value: (_) @argument.value) @argument.keyword

(if_statement condition: (_) @condition)
(elif_clause condition: (_) @condition)
(while_statement condition: (_) @condition)
(if_clause (_) @condition)
(conditional_expression (_) (_) @condition (_))
(assert_statement . (_) @condition)
(return_statement (_) @returned)
(for_statement right: (_) @iterated)
(for_in_clause right: (_) @iterated)
(assignment right: (_) @assigned)

[(assert_statement) (break_statement) (continue_statement) (delete_statement)
 (expression_statement) (pass_statement) (raise_statement) (return_statement)] @statement
[(if_statement) (for_statement) (while_statement) (with_statement) (try_statement)] @compound
(expression_statement . (string) .) @docstring

; What a comprehension or a lambda binds, and its result.
(for_in_clause) @binder
(lambda_parameters) @binder
(for_in_clause left: (identifier) @bound)
(for_in_clause left: (_ (identifier) @bound))
(lambda_parameters (identifier) @bound)
(lambda body: (_) @keyed)
(except_clause value: (identifier) @handled)
(except_clause value: (as_pattern . (identifier) @handled))
(raise_statement (identifier) @handled)
(function_definition
  parameters: (parameters (default_parameter value: [(list) (dictionary) (set)] @mutable)))
