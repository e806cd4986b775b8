; What can be shown, and later repaired, on its own.  @name and the definition come in the same order
; of the text.
(function_declaration name: (identifier) @name body: (statement_block) @body) @function
(generator_function_declaration name: (identifier) @name body: (statement_block) @body) @function
(arguments (function_expression name: (identifier) @name body: (statement_block) @body) @function)
(method_definition
  name: [(property_identifier) (private_property_identifier) (string) (number)
         (computed_property_name)] @name
  body: (statement_block) @body) @function
(class_declaration name: (identifier) @name body: (class_body) @body) @class
(variable_declarator name: (identifier) @name value: (class body: (class_body) @body)) @class
(export_statement "default" @name value: (class body: (class_body) @body)) @class

; An object literal that has methods is a class with one object.
(variable_declarator name: (identifier) @name
  value: (object [(method_definition)
                  (pair value: [(arrow_function) (function_expression)])]) @body) @class
(assignment_expression
  left: (member_expression object: (identifier) @_module property: (property_identifier) @name)
  right: (object [(method_definition)
                  (pair value: [(arrow_function) (function_expression)])]) @body
  (#eq? @_module "module")) @class

; The name of a lambda stands before it.
(variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)] @lambda)
(assignment_expression
  left: [(identifier) @name
         (member_expression
           property: [(property_identifier) (private_property_identifier)] @name)]
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)] @lambda)
(field_definition property: [(property_identifier) (private_property_identifier)] @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)] @lambda)
(pair key: [(property_identifier) (string)] @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)] @lambda)
(export_statement "default" @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)] @lambda)

; The body of an arrow that is an expression.
(variable_declarator value: (arrow_function body: (expression) @lambda.body))
(assignment_expression left: [(identifier) (member_expression)]
  right: (arrow_function body: (expression) @lambda.body))
(field_definition value: (arrow_function body: (expression) @lambda.body))
(pair value: (arrow_function body: (expression) @lambda.body))
(export_statement value: (arrow_function body: (expression) @lambda.body))

; Known by what has them, not by their bare names.
(assignment_expression left: (member_expression object: (identifier) @_of)
  right: [(arrow_function) (function_expression) (generator_function)] @unbound
  (#not-eq? @_of "exports") (#not-eq? @_of "module"))
(assignment_expression left: (member_expression object: [(member_expression) (this) (call_expression)
                                                         (subscript_expression)])
  right: [(arrow_function) (function_expression) (generator_function)] @unbound)
(arguments (function_expression name: (_)) @unbound)
[(arguments (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (return_statement (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (parenthesized_expression (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (array (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (pair (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (export_statement (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (spread_element (object [(method_definition) @unbound (pair value: (_) @unbound)]))
  (assignment_expression left: (identifier)
    right: (object [(method_definition) @unbound (pair value: (_) @unbound)]))]
(assignment_expression left: (member_expression object: (_) @_of)
  right: (object [(method_definition) @unbound (pair value: (_) @unbound)])
  (#not-eq? @_of "module"))

(function_declaration . "async" @async)
(generator_function_declaration . "async" @async)
(method_definition "async" @async)
(arguments (function_expression . "async" @async name: (_)))
(variable_declarator name: (identifier)
  value: [(arrow_function . "async" @async) (function_expression . "async" @async)
          (generator_function . "async" @async)])
(assignment_expression left: [(identifier) (member_expression)]
  right: [(arrow_function . "async" @async) (function_expression . "async" @async)
          (generator_function . "async" @async)])
(field_definition
  value: [(arrow_function . "async" @async) (function_expression . "async" @async)
          (generator_function . "async" @async)])
(pair key: [(property_identifier) (string)]
  value: [(arrow_function . "async" @async) (function_expression . "async" @async)
          (generator_function . "async" @async)])
(export_statement "default"
  value: [(arrow_function . "async" @async) (function_expression . "async" @async)
          (generator_function . "async" @async)])
(method_definition ["get" "set"] @property)
(method_definition "static" @static)

; The names of the parameters, which are @local to their function.
[(function_declaration) (generator_function_declaration) (method_definition) (function_expression)
 (generator_function) (arrow_function)] @scope
(formal_parameters) @parameters
(arrow_function parameter: (identifier) @parameters @local)
(formal_parameters (identifier) @local)
(formal_parameters (assignment_pattern left: (identifier) @local))
(formal_parameters (rest_pattern (identifier) @local))
(formal_parameters (_ (shorthand_property_identifier_pattern) @local))
(formal_parameters (_ (_ (shorthand_property_identifier_pattern) @local)))
(formal_parameters (_ (_ (_ (shorthand_property_identifier_pattern) @local))))
(formal_parameters (_ (_ (_ (_ (shorthand_property_identifier_pattern) @local)))))
(formal_parameters (array_pattern (identifier) @local))
(formal_parameters (_ (array_pattern (identifier) @local)))
(formal_parameters (_ (_ (array_pattern (identifier) @local))))
(formal_parameters (_ (pair_pattern value: (identifier) @local)))
(formal_parameters (_ (_ (pair_pattern value: (identifier) @local))))
(formal_parameters (_ (_ (_ (pair_pattern value: (identifier) @local)))))
(formal_parameters (_ (rest_pattern (identifier) @local)))
(formal_parameters (_ (_ (rest_pattern (identifier) @local))))
(formal_parameters (_ (assignment_pattern left: (identifier) @local)))
(formal_parameters (_ (_ (assignment_pattern left: (identifier) @local))))
(formal_parameters (_ (_ (_ (array_pattern (identifier) @local)))))
(formal_parameters (_ (_ (_ (_ (array_pattern (identifier) @local))))))
(formal_parameters (_ (_ (_ (_ (pair_pattern value: (identifier) @local))))))
(formal_parameters (_ (_ (_ (rest_pattern (identifier) @local)))))
(formal_parameters (_ (_ (_ (_ (rest_pattern (identifier) @local))))))
(formal_parameters (_ (_ (_ (assignment_pattern left: (identifier) @local)))))
(formal_parameters (_ (_ (_ (_ (assignment_pattern left: (identifier) @local))))))
